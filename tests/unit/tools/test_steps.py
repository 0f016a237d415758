import io
import sys
from pathlib import Path

import pytest

from tools.steps import Steps


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return Steps(("packages", "the project"), tmp_path, lock=2)


@pytest.mark.parametrize(
    ("out", "lines"),
    [
        (Terminal(), ["Setting up 1 of 2: packages, 0 s", "Setting up 2 of 2: the project, 0 s"]),
        (io.StringIO(), ["Setting up 1 of 2: packages", "Setting up 2 of 2: the project"]),
    ],
    ids=["one line, rewritten in place, on a terminal", "one line a step elsewhere"],
)
def test_a_step_is_shown(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, out: io.StringIO, lines: list[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", out)

    for step in ("packages", "packages", "the project"):
        steps.show(step)
    steps.end("Set up.")

    shown = [line.strip() for line in out.getvalue().replace("\r", "\n").splitlines()]
    assert list(dict.fromkeys(line for line in shown if line)) == [*lines, "Set up."]
    assert out.getvalue().count("\n") == (1 if out.isatty() else 3)


def test_a_step_returns_its_own_output_and_the_log_keeps_all(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    steps.variables = {"MIRROR": "x"}
    code = (
        "import os; print(os.environ.get('PIP_TARGET'), os.environ['MIRROR']); raise SystemExit(3)"
    )

    assert steps.run("packages", "python", "-c", "print('first')") == (0, "first\n")
    assert steps.run("packages", "python", "-c", code) == (3, "None x\n")
    log = steps.environment / "set-up.log"
    assert log.read_text(encoding="utf-8") == "first\nNone x\n"
