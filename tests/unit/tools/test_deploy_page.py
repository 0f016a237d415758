"""Can the plain commands of docs/deploy.md be typed as they stand?"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.template import INFRA, ROOT, read_template

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
PROGRAMS = ("aws", "docker", "git", "orders", "pip", "zip")
# It writes down how it was called, and answers with one word, as `--query ... --output text` does.
STUB = """#!/bin/sh
printf '%s ' "$(basename "$0")" "$@" >> "$CALLS"
echo >> "$CALLS"
[ "$1" = login ] && cat > /dev/null
[ "$1" = env ] && echo export ANSWER= || echo answer
"""


@pytest.fixture
def calls(tmp_path: Path) -> list[str]:
    """What the page calls, when it is followed literally."""
    ended = follow(BLOCKS, tmp_path)

    assert ended.returncode == 0, ended.stderr
    return (tmp_path / "calls").read_text(encoding="utf-8").splitlines()


def follow(blocks: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Type the blocks one after the other, with a stub for each program."""
    for name in PROGRAMS:
        (folder / name).write_text(STUB, encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / "layer").mkdir()
    return subprocess.run(
        ["/bin/bash", "-eu", "-o", "pipefail", "-c", "\n".join(blocks)],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin", "CALLS": str(folder / "calls")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_followed_literally_has_no_undefined_variable(calls: list[str]) -> None:
    assert len(BLOCKS) == 4
    assert any(call.startswith("orders deploy --environment prod") for call in calls)
    assert sum(call.startswith("aws cloudformation deploy") for call in calls) == 2
    assert any(call.startswith("docker push answer.dkr.ecr.eu-central-1") for call in calls)


@pytest.mark.parametrize("name", ["APPLICATION", "REGION", "LAYER", "REPOSITORY", "SUBNETS"])
def test_a_variable_that_the_page_forgot_is_noticed(tmp_path: Path, name: str) -> None:
    without = [re.sub(rf"(?m)^{name}=", "OTHER=", block) for block in BLOCKS]

    ended = follow(without, tmp_path)

    assert ended.returncode != 0
    assert f"{name}: unbound variable" in ended.stderr


@pytest.mark.parametrize("template", ["pipeline", "consumer"])
def test_the_page_sets_every_parameter_that_has_no_default(calls: list[str], template: str) -> None:
    parameters = read_template(template).body["Parameters"]
    (call,) = (one for one in calls if f"infra/{template}.yaml" in one)

    given = set(re.findall(r" ([A-Z]\w+)=", call.partition("--parameter-overrides")[2]))

    assert {name for name, one in parameters.items() if "Default" not in one} <= given
    assert given <= set(parameters)
    assert (INFRA / f"{template}.yaml").exists()
