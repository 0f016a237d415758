"""The API's quotas: has it taken as many requests in this window as it may?"""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from orders.quota import Quota


def _wall_less_monotonic() -> float:
    return time.time() - time.monotonic()


@dataclass(slots=True)
class QuotaRule:
    """At most so many arrivals in each window; what was answered 429 does not count.

    Arrivals are seconds of a monotonic clock. wall_less_monotonic: what makes them seconds since
    the epoch, by which calendar windows go.
    """

    quotas: tuple[Quota, ...] = ()
    zone: tzinfo = UTC
    wall_less_monotonic: Callable[[], float] = _wall_less_monotonic
    by_calendar: "Counter[tuple[Quota, float]]" = field(default_factory=Counter)
    just_past: "dict[Quota, deque[float]]" = field(default_factory=dict)

    def used_up(self, arrived_at: float) -> Quota | None:
        """The quota that forbids a request that arrived at this time."""
        if not self.quotas:
            return None
        at = arrived_at + self.wall_less_monotonic()
        return next((q for q in self.quotas if self._used(q, at) >= q.count), None)

    def count(self, arrived_at: float) -> None:
        """Count this arrival."""
        if not self.quotas:
            return
        at = arrived_at + self.wall_less_monotonic()
        for quota in self.quotas:
            if quota.is_rolling:
                self.just_past.setdefault(quota, deque()).append(at)
            else:
                self.by_calendar[quota, quota.window_at(at, self.zone).start] += 1

    def _used(self, quota: Quota, at: float) -> int:
        if not quota.is_rolling:
            return self.by_calendar[quota, quota.window_at(at, self.zone).start]
        arrivals = self.just_past.get(quota, deque())
        while arrivals and arrivals[0] <= at - quota.seconds:
            arrivals.popleft()
        return len(arrivals)
