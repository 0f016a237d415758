"""How many orders must be in hand so that no turn is wasted?"""

from math import ceil

from consumer.delivery.latency import Latency

EXPECTED_SECONDS = 4.0
"""An attempt without an answer makes the window grow up to this latency."""
CONNECTION_SECONDS = 0.000_4
"""Without a rate, one more attempt in flight for each such share of the API's best latency."""


class WindowSize:
    """The window's size, by rate and latency, between 1 and `window_max` orders."""

    def __init__(self, window_max: int) -> None:
        self.window_max = window_max
        self.size = 1
        self._latency = Latency(32, 0.0)

    def answered(self, seconds: float) -> None:
        """An attempt was answered in so many seconds."""
        self._latency.add(seconds)

    def resize(
        self, per_second: float | None, *, unanswered_seconds: float, settle_seconds: float
    ) -> bool:
        """Find the size: rate x (latency + settle); without a rate, the most. True: it changed.

        unanswered_seconds: how long the oldest attempt is on its way, which counts up to
        EXPECTED_SECONDS only, so that an API that hangs does not get the whole window sent into it.
        """
        size = self.window_max
        if per_second is not None:
            latency = max(self._latency.worst, min(unanswered_seconds, EXPECTED_SECONDS))
            size = min(size, max(1, ceil(per_second * (latency + settle_seconds))))
        changed, self.size = size != self.size, size
        return changed

    @property
    def connections(self) -> int:
        """How many attempts are worth having in flight without a rate: a slow API takes many."""
        return min(self.window_max, 2 + int(self._latency.least / CONNECTION_SECONDS))
