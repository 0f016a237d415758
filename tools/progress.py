"""How does set-up say how far it is?"""

import time
from dataclasses import dataclass, field
from typing import TextIO

LOG_SECONDS = 15.0  # without a terminal: a line this often, and one for each change of step


@dataclass(slots=True)
class Progress:
    """One line that is rewritten in place on a terminal, and a plain log anywhere else."""

    out: TextIO
    is_terminal: bool
    started: float = field(default_factory=time.monotonic)
    _step: str = ""
    _logged: float = float("-inf")
    _shown: int = 0

    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    def show(self, step: str, count: str = "") -> None:
        """Say what is being done now, with a counter where there is one."""
        line = f"Setting up: {step}{' ' if count else ''}{count}, {self.seconds():.0f} s"
        if self.is_terminal:
            self.out.write("\r" + line.ljust(self._shown))
            self._shown = len(line)
        elif step != self._step or self.seconds() - self._logged >= LOG_SECONDS:
            self.out.write(line + "\n")
            self._logged = self.seconds()
        self._step = step
        self.out.flush()

    def end(self, line: str) -> None:
        """Put the last line in place of the counter."""
        self.out.write(("\r" + line.ljust(self._shown) if self.is_terminal else line) + "\n")
        self.out.flush()

    def clear(self) -> None:
        """Take the counter away, so that a failure stands alone."""
        if self.is_terminal and self._shown:
            self.out.write("\r" + " " * self._shown + "\r")
            self.out.flush()
