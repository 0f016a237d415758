"""What is used of each quota, for people and metrics."""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.pace.pace import Pace
from orders.quota import Quota


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """A quota, and how many requests count in its window now."""

    quota: Quota
    used: int


def quota_use(pace: Pace, now: float) -> tuple[QuotaUse, ...]:
    """What is used of each quota."""
    if not pace.limits.quota:
        return ()
    limits = pace.limits.parsed
    return tuple(QuotaUse(q, pace.used.of(q, now, limits.zone)) for q in limits.quotas)


def below_rate(pace: Pace, now: float) -> Iterator[str]:
    """For each quota that the rate would use up before its window ends, a sentence."""
    rate = pace.rate(now)
    if rate is None or not rate.per_second or not pace.limits.quota:
        return
    for quota in pace.limits.parsed.quotas:
        wanted = rate.per_second * quota.seconds
        if quota.count < wanted:
            yield (
                f"the quota of {quota} is below what the rate comes to ({wanted:,.0f}), so that "
                "sending rests while it is used up"
            )
