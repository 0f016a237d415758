"""How does a long step run, so that one sees how far it is and can read afterwards what it said?"""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.progress import Progress

POLL_SECONDS = 0.2
# What would put packages elsewhere, or make the environment see others than its own.
_UNSET = (
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
)


def no_count(_output: str) -> str:
    """For a step that has nothing to count."""
    return ""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the environment's own Python, one step after the other, into one log."""

    root: Path
    environment: Path
    progress: Progress

    @property
    def log(self) -> Path:
        """What all steps printed."""
        return self.environment / "set-up.log"

    def run(
        self, step: str, arguments: list[str], count: Callable[[str], str] = no_count
    ) -> tuple[int, str]:
        """Run one step to its end.

        Args:
            step: What the line of progress calls it.
            arguments: Of the Python.
            count: Turns what the step has printed so far into what the counter shows.

        Returns:
            The exit code, and what the step printed.
        """
        start = self.log.stat().st_size if self.log.exists() else 0
        kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(self.environment / "bin" / "python"), *arguments],
                cwd=self.root,
                env=kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while process.poll() is None:
                    self.progress.show(step, count(self._printed_since(start)))
                    time.sleep(POLL_SECONDS)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait()
        return process.returncode, self._printed_since(start)

    def _printed_since(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode("utf-8", errors="replace")
