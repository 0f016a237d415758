"""What the demo prints, with times."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

from orders_cli.output import is_lively

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


@dataclass(slots=True)
class Narrator:
    """Prints everything on one stream, with the seconds since the demo began."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    _began: float = field(default_factory=time.monotonic)
    _act: int = 0

    def act(self, title: str) -> None:
        """Begin an act."""
        self._act += 1
        line = f"Act {self._act}. {title}"
        self.line()
        self.line(f"{_BOLD}{line}{_PLAIN}" if is_lively(self.stream) else line)

    def tell(self, sentence: str, *, at: float | None = None) -> None:
        """Print what happens now, or what happened at a time of the monotonic clock."""
        seconds = (time.monotonic() if at is None else at) - self._began
        self.line(f"{seconds:6.1f} s  {sentence}")

    def quote(self, text: str) -> None:
        """Print lines of an answer, indented."""
        for line in text.splitlines():
            self.line(f"          {line}")

    def line(self, text: str = "") -> None:
        """Print a line as it is."""
        self.stream.write(f"{text}\n")
        self.stream.flush()
