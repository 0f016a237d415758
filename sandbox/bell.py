"""When does somebody want the sandbox to look around, or to stop?"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopAskedError(Exception):
    """A signal asked the sandbox to stop while it was starting."""


@dataclass(slots=True)
class Bell:
    """Rung by signals: a child has ended, or a person asks to stop."""

    stops: int = 0
    _rung: threading.Event = field(default_factory=threading.Event)

    @property
    def is_urgent(self) -> bool:
        """Whether it was asked to stop more than once."""
        return self.stops > 1

    def wait(self, limit_seconds: float) -> None:
        """Wait until it is rung, or for this long."""
        self._rung.wait(limit_seconds)
        self._rung.clear()

    def wait_or_stop(self, limit_seconds: float) -> None:
        """The same. Raises StopAskedError where it was asked to stop."""
        self.wait(limit_seconds)
        if self.stops:
            raise StopAskedError

    def ring(self, number: int, _frame: FrameType | None) -> None:
        """The handler of the signals."""
        if number != signal.SIGCHLD:
            self.stops += 1
        self._rung.set()


@contextmanager
def bell_of_signals() -> Iterator[Bell]:
    """A bell that the signals of this process ring; to be used in the main thread."""
    bell = Bell()
    before = {number: signal.signal(number, bell.ring) for number in (*_STOPS, signal.SIGCHLD)}
    try:
        yield bell
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
