"""What time is it, and how is a wait spent?"""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Time as an argument, so that a test can hold it."""

    def epoch(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds of a clock that only goes forward."""

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""


class SystemClock:
    """The machine's own clocks."""

    def epoch(self) -> float:
        """See Clock.epoch."""
        return time.time()

    def monotonic(self) -> float:
        """See Clock.monotonic."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See Clock.sleep."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a run must have stopped working, on a clock's monotonic time."""

    clock: Clock
    at: float

    def left_seconds(self) -> float:
        """Time left; negative once it is over."""
        return self.at - self.clock.monotonic()
