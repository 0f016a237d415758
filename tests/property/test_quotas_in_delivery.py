"""Quotas with the real delivery: two shards, answers after 0.15 to 3 s, on a simulated clock."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from benchmarks.drain import START, Drain
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.limits import Limits
from ledger.pace.pace import Override, Pace

Step = Callable[[Pace, float], Pace]


def by_minute(
    orders: int, rate: str, quota: str, changes: Sequence[tuple[float, Step]] = ()
) -> list[int]:
    """The requests of each minute but the last, all orders being sent. changes: seconds, step."""
    drain = Drain(orders, 2)
    drain.simulation.idle_looks_seconds = float("inf")

    def take(step: Step) -> None:
        change(drain.ledger, lambda pace: step(pace, drain.timeline.now()))

    take(lambda pace, now: steps.configure(pace, rate, now=now))
    take(limited_to(quota))
    for seconds, step in changes:
        drain.timeline.after(seconds, lambda step=step: take(step))  # type: ignore[misc]
    result = drain.run()
    assert result.lost == 0
    assert len(drain.api.times) == orders
    counts = Counter(int((at - START) // 60) for at in drain.api.times)
    return [counts[minute] for minute in range(max(counts))]


def limited_to(quota: str) -> Step:
    return lambda pace, now: steps.configure_limits(pace, Limits(quota, "", "UTC"), now=now)


def at_rate(rate: str | None) -> Step:
    override = Override(rate, "me", "", None) if rate else None
    return lambda pace, now: steps.override(pace, override, now=now)


@pytest.mark.parametrize(
    ("orders", "rate", "quota", "each"),
    [(500, "none", "100/m", 100), (40, "200/s", "7/m", 7), (300, "2/s", "60/m", 60)],
)
def test_every_minute_uses_all_of_its_quota(orders: int, rate: str, quota: str, each: int) -> None:
    """Also where more turns are reserved at once than a process sends, which pass unused."""
    minutes = by_minute(orders, rate, quota)

    assert len(minutes) >= 4
    assert set(minutes) == {each}


def test_a_rate_that_a_person_sets_changes_nothing_about_the_quota() -> None:
    """Turns that may start before everybody knows of the change stay counted."""
    changes = [(70.0, at_rate("4/s")), (130.0, at_rate("none")), (250.5, at_rate(None))]

    minutes = by_minute(400, "2/s", "60/m", changes)

    assert max(minutes) == 60
    assert min(minutes) >= 60 - 2 * 2
    assert minutes[3] == minutes[-1] == 60


def test_a_smaller_quota_counts_what_the_window_has_used() -> None:
    minutes = by_minute(400, "2/s", "60/m", [(130.0, limited_to("30/m"))])

    assert minutes[:2] == [60, 60]
    assert 20 <= minutes[2] <= 30
    assert set(minutes[3:]) == {30}
