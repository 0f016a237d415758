"""Does the image hold what the consumer needs, run as nobody, and bring no tools along?"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.template import ROOT, read_template

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
BASE = "FROM debian:trixie-slim"
BUILD_STAGE, FINAL_STAGE = DOCKERFILE.split(BASE)[1:]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    linted = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert linted.stdout + linted.stderr == ""
    assert linted.returncode == 0


def test_both_stages_stand_on_the_same_base() -> None:
    assert re.findall(r"^FROM .*$", DOCKERFILE, re.MULTILINE) == [f"{BASE} AS build", BASE]


def test_the_final_stage_brings_no_build_tools() -> None:
    installed = re.search(r"apt-get install (.*)", FINAL_STAGE)

    assert installed is not None
    packages = [word for word in installed[1].split() if not word.startswith(("-", "\\"))]
    assert packages == ["ca-certificates", "python3"]


def test_every_package_is_pinned_by_hash_and_every_jar_is_checked() -> None:
    installs = re.findall(r"python install (.*?)(?=&& pip|\n\n)", BUILD_STAGE, re.DOTALL)

    assert len(installs) == 2
    assert all("--require-hashes" in install for install in installs)
    assert "python -m tools.jars" in BUILD_STAGE


@pytest.mark.parametrize("folder", ["orders", "ledger", "consumer", "properties"])
def test_the_consumer_finds_its_own(folder: str) -> None:
    assert f"COPY {folder}/ /opt/orders/app/{folder}/" in BUILD_STAGE


def test_what_is_copied_is_let_through() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", BUILD_STAGE, re.MULTILINE)

    sources = {source for line in copied for source in line.split()}
    assert {f"!{source}" for source in sources} == {i for i in IGNORED if i.startswith("!")}
    assert "*" in IGNORED


def test_pid_1_is_the_worker_and_is_nobody() -> None:
    (task,) = read_template("consumer").of_type("AWS::ECS::TaskDefinition").values()

    assert 'ENTRYPOINT ["python3", "-m", "consumer"]' in FINAL_STAGE
    assert f"\nUSER {task['ContainerDefinitions'][0]['User']}\n" in FINAL_STAGE


def test_its_label_tells_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert f"ARG VERSION={project['version']}\n" in FINAL_STAGE
