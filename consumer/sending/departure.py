"""When a request really leaves, and how long that takes.

Its moment is kept on the monotonic clock, so that a step of the wall clock does not move it.
"""

import time

AWAKE_SECONDS = 0.0005
"""The last part of a wait is a busy loop, to be precise: at 50/s, 2.5 % of a processor."""


class Departure:
    """The moment at which a request is to leave, and when it did."""

    def __init__(self, moment: float) -> None:
        """`moment` is one of time.monotonic(), in seconds; where it has passed, it is late."""
        self._moment = self._began = moment

    def wait(self) -> None:
        """Wait for the moment, the last part awake.

        A sleeping thread wakes up late by 0.1 ms, or by several while other threads run.
        """
        while (left := self._moment - time.monotonic()) > 0:
            if left > AWAKE_SECONDS:
                time.sleep(left - AWAKE_SECONDS)
        self._began = time.monotonic()

    @property
    def late_seconds(self) -> float:
        """How long after its moment the request began to leave."""
        return max(self._began - self._moment, 0.0)

    def since_seconds(self) -> float:
        """How long ago it began to leave."""
        return time.monotonic() - self._began
