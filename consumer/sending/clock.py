"""What time is it, for whoever must not notice that somebody set the clock?"""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Seconds since the epoch."""


class AnchoredClock:
    """The wall clock as it stood at the start, carried on by the monotonic clock.

    A step of the wall clock does not move a turn that is waited for; the next process starts from
    the clock as it then stands.
    """

    def __init__(self) -> None:
        """Anchor it now."""
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """See Clock.now."""
        return time.monotonic() + self._offset
