"""The API's rate limit: has enough time passed to take another request?"""

from collections import deque
from dataclasses import dataclass, field

from orders.rate import Rate

ALLOWANCE_SECONDS = 0.020
ALLOWANCE_OF_INTERVAL = 0.02
_REMEMBERED = 16
"""Requests that are decided out of their order of arrival are few."""


@dataclass(slots=True)
class GapRule:
    """A minimum gap between arrivals, kept by arrival times in seconds of one monotonic clock.

    The gap is one interval of the rate less a small allowance for the network and this machine:
    20 ms or 2 % of the interval, whichever is smaller. It counts from the last request that was
    not answered 429, so a caller that is too early does not push its own next turn away.
    """

    rate: Rate
    counted: "deque[float]" = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def admits(self, arrived_at: float) -> bool:
        """Whether a request that arrived at this time keeps the gap; changes nothing.

        A request whose head was long in coming, or whose thread was, may have arrived before others
        that are counted already: it keeps the gap to those as well.
        """
        gap = self.minimum_gap_seconds
        return all(abs(arrived_at - counted_at) >= gap for counted_at in self.counted)

    def count(self, arrived_at: float) -> None:
        """Let the gap start at this arrival: it was answered, and not with 429."""
        self.counted.append(arrived_at)

    @property
    def minimum_gap_seconds(self) -> float:
        """The smallest gap that is taken, in seconds; 0 where the rate is `none`."""
        interval_seconds = self.rate.interval_seconds
        return interval_seconds - min(ALLOWANCE_SECONDS, ALLOWANCE_OF_INTERVAL * interval_seconds)
