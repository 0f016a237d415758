"""The time at which a run must stop, and the clock that it goes by."""

from dataclasses import dataclass
from typing import Protocol


class TimeSource(Protocol):
    """What a run needs of the `time` module, which is one; tests pass a clock of their own."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a run must have stopped working, in monotonic time."""

    clock: TimeSource
    at: float

    def left_seconds(self) -> float:
        """Time left; negative once it is over."""
        return self.at - self.clock.monotonic()
