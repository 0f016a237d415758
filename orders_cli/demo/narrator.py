"""How does the demo tell what happens, with times?"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from orders_cli.output import is_lively

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


@dataclass(slots=True)
class Narrator:
    """Says everything on one stream, each line with the seconds since the demo began."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    clock: Callable[[], float] = time.monotonic
    _began: float = 0.0
    _act: int = 0

    def __post_init__(self) -> None:
        """The time begins."""
        self._began = self.clock()

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return self.clock() - self._began

    def act(self, title: str) -> None:
        """Begin an act."""
        self._act += 1
        line = f"Act {self._act}. {title}"
        self._write("")
        self._write(f"{_BOLD}{line}{_PLAIN}" if is_lively(self.stream) else line)

    def tell(self, sentence: str, *, at: float | None = None) -> None:
        """Say what happens now, or what happened at a moment of the clock."""
        seconds = (self.clock() if at is None else at) - self._began
        self._write(f"{seconds:6.1f} s  {sentence}")

    def line(self, text: str = "") -> None:
        """Write a line as it is."""
        self._write(text)

    def _write(self, text: str) -> None:
        self.stream.write(f"{text}\n")
        self.stream.flush()
