"""The API's rate limit: has enough time passed to take another request?"""

from dataclasses import dataclass

from orders.rate import Rate

ALLOWANCE_SECONDS = 0.020
ALLOWANCE_OF_INTERVAL = 0.02


@dataclass(slots=True)
class GapRule:
    """A minimum gap between arrivals, kept by arrival times in seconds of one monotonic clock.

    The gap is one interval of the rate less a small allowance for the network and this machine:
    20 ms or 2 % of the interval, whichever is smaller. It counts from the last request that was
    not answered 429, so a caller that is too early does not push its own next turn away.
    """

    rate: Rate
    counted_at: float | None = None

    def admits(self, arrived_at: float) -> bool:
        """Whether a request that arrived at this time keeps the gap; changes nothing.

        A request whose head was long in coming may have arrived before the last counted one.
        """
        if self.counted_at is None:
            return True
        return abs(arrived_at - self.counted_at) >= self.minimum_gap_seconds

    def count(self, arrived_at: float) -> None:
        """Let the gap start at this arrival: it was answered, and not with 429."""
        if self.counted_at is None or arrived_at > self.counted_at:
            self.counted_at = arrived_at

    @property
    def minimum_gap_seconds(self) -> float:
        """The smallest gap that is taken, in seconds; 0 where the rate is `none`."""
        interval_seconds = self.rate.interval_seconds
        return interval_seconds - min(ALLOWANCE_SECONDS, ALLOWANCE_OF_INTERVAL * interval_seconds)
