"""Run the steps of a set-up: one line on the terminal, and their output in a log."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

POLL_SECONDS = 0.1
LINE_WIDTH = 60
# These would install elsewhere, or show the environment packages that are not its own.
_UNSET = {
    *("PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_USER"),
    *("PYTHONHOME", "PYTHONPATH", "UV_SYSTEM_PYTHON"),
}


@dataclass(slots=True)
class Steps:
    """Runs programs of an environment. Without a terminal, each step is a line of its own.

    Attributes:
        names: All steps, in order.
        environment: The folder of the environment.
        lock: A file descriptor that all programs inherit: its lock lasts until the last one exits.
        variables: Environment variables for the programs, beside those of this process.
    """

    names: tuple[str, ...]
    environment: Path
    lock: int
    variables: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    _shown: str = ""

    def run(self, step: str, program: str, *arguments: str) -> tuple[int, str]:
        """Run a program of the environment; returns its exit code and what it printed."""
        inherited = {name: value for name, value in os.environ.items() if name not in _UNSET}
        with (self.environment / "set-up.log").open("a+b") as log:
            start = log.seek(0, os.SEEK_END)
            process = subprocess.Popen(
                [self.environment / "bin" / program, *arguments],
                env=inherited | {"VIRTUAL_ENV": str(self.environment)} | self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[self.lock],
            )
            try:
                while process.poll() is None:
                    self.show(step)
                    time.sleep(POLL_SECONDS)
            finally:
                process.terminate()
                process.wait()
            log.seek(start)
            return process.returncode, log.read().decode("utf-8", errors="replace")

    def show(self, step: str) -> None:
        """Show the current step, its place among all steps, and the seconds since the start."""
        place = f" {self.names.index(step) + 1} of {len(self.names)}" if step in self.names else ""
        line = f"Setting up{place}: {step}"
        if sys.stderr.isatty():
            seconds = time.monotonic() - self.started
            sys.stderr.write(f"\r{line}, {seconds:.0f} s".ljust(LINE_WIDTH))
        elif step != self._shown:
            sys.stderr.write(line + "\n")
        self._shown = step
        sys.stderr.flush()

    def end(self, line: str) -> None:
        """Replace the current step by a last line."""
        is_shown = self._shown and sys.stderr.isatty()
        print("\r" + " " * LINE_WIDTH + "\r" if is_shown else "", line, sep="", file=sys.stderr)
