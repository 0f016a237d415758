"""Promise 3 with quotas: in no window more requests than the limit, whatever the fleet does."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.pace.forecast import seconds_to_send
from ledger.pace.limits import Limits
from ledger.pace.pace import AHEAD_SECONDS, NOTICE_SECONDS, Pace, Pause
from ledger.pace.reservation import LATE_SECONDS, Closed, Grant
from ledger.pace.steps import configure, configure_limits, pause, resume
from ledger.pace.turns import own, reserve

BERLIN = ZoneInfo("Europe/Berlin")
SHARDS = ("shardId-0", "shardId-1", "shardId-2")


@dataclass
class Fleet:
    """Shard processes that take every turn they get, each up to LATE_SECONDS late."""

    pace: Pace
    now: float
    random: Random
    started: list[float] = field(default_factory=list)
    held: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    restarts: int = 0

    def reserve(self, shard: str, wanted: int) -> None:
        """As a process does: no further ahead than it must."""
        if self.pace.next_free > self.now + AHEAD_SECONDS:
            return
        token = self.pace.owners[shard]
        self.pace, got = reserve(self.pace, shard=shard, token=token, wanted=wanted, now=self.now)
        if isinstance(got, Grant):
            assert not got.was_reset
            self.held.setdefault(shard, []).extend((turn, got.epoch) for turn in got.turns)

    def restart(self, shard: str) -> None:
        self._start_until(self.now)
        self.held.pop(shard, None)
        self.restarts += 1
        self.pace = own(self.pace, shard, f"host-{self.restarts}", now=self.now)

    def void(self) -> None:
        """Pause and resume: what a process may start before it notices, it does start."""
        self._start_until(self.now + NOTICE_SECONDS)
        self.pace = resume(pause(self.pace, Pause("me", "", self.now, None)))
        self.held = {}

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self._start_until(self.now)

    def _start_until(self, moment: float) -> None:
        for shard, turns in self.held.items():
            due = [turn for turn, _ in turns if turn <= moment]
            self.started += (turn + self.random.uniform(0, LATE_SECONDS * 0.999) for turn in due)
            self.held[shard] = [(turn, epoch) for turn, epoch in turns if turn > moment]


def fleet(rate: str, limits: Limits, *, start: float, seed: int = 0) -> Fleet:
    pace = configure_limits(configure(Pace(), rate, now=start), limits, now=start)
    for number, shard in enumerate(SHARDS):
        pace = own(pace, shard, f"host-first{number}", now=start)
    return Fleet(pace, start, Random(seed))  # noqa: S311 - no secret


def most_in(started: list[float], seconds: float) -> int:
    """The most starts in any time of this length."""
    ordered = sorted(started)
    return max((bisect_left(ordered, at + seconds) - i for i, at in enumerate(ordered)), default=0)


def most_by_clock(started: list[float], form: str) -> int:
    counts = Counter(datetime.fromtimestamp(at, BERLIN).strftime(form) for at in started)
    return max(counts.values(), default=0)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["reserve"] * 12 + ["void", "restart"]),
        st.sampled_from(SHARDS),
        st.integers(1, 40),
        st.floats(0.0, 6.0),
    ),
    min_size=40,
    max_size=150,
)


@settings(max_examples=60, deadline=None)
@given(actions=ACTIONS, rate=st.sampled_from(["2/s", "40/s", "none"]), seed=st.integers(0, 99))
def test_no_window_holds_more_than_its_quota(
    actions: list[tuple[str, str, int, float]], rate: str, seed: int
) -> None:
    start = datetime(2027, 3, 27, 23, 58, 10, tzinfo=BERLIN).timestamp()
    limits = Limits("45/m,60/2m,500/h", "", "Europe/Berlin")
    world = fleet(rate, limits, start=start, seed=seed)

    for action, shard, wanted, seconds in actions:
        if action == "reserve":
            world.reserve(shard, wanted)
        elif action == "void":
            world.void()
        else:
            world.restart(shard)
        world.wait(seconds)
    world.wait(30.0)

    assert most_by_clock(world.started, "%d %H:%M") <= 45
    assert most_by_clock(world.started, "%d %H %z") <= 500
    assert most_in(world.started, 120.0) <= 60


def test_turns_that_are_voided_give_their_count_back() -> None:
    start = datetime(2027, 6, 1, 12, 0, 0, tzinfo=BERLIN).timestamp()
    world = fleet("40/s", Limits("1000/d", "", "Europe/Berlin"), start=start)
    for _ in range(60):
        world.reserve(SHARDS[0], 8)
        world.void()

    while isinstance(_ask(world), Grant):
        world.wait(0.2)
    world.wait(2.0)

    assert len(world.started) == 1000


def _ask(world: Fleet) -> object:
    before = world.pace
    world.reserve(SHARDS[1], 8)
    if world.pace != before:
        return Grant((), 0, 0, is_probe=False, interval=0.0)
    return reserve(
        world.pace, shard=SHARDS[1], token=world.pace.owners[SHARDS[1]], wanted=1, now=world.now
    )[1]


@pytest.mark.parametrize(
    ("quota", "rate"), [("60/m", "2/s"), ("600/h", "1/s"), ("3600/60m", "2/s"), ("60/m", "1/s")]
)
def test_the_allowed_is_used(quota: str, rate: str) -> None:
    start = datetime(2027, 6, 1, 12, 0, 0, tzinfo=BERLIN).timestamp()
    world = fleet(rate, Limits(quota, "", "Europe/Berlin"), start=start)
    hours = 2

    while world.now < start + hours * 3600:
        world.reserve(world.random.choice(SHARDS), 4)
        world.wait(0.4)

    per_hour = {"60/m": 3600, "600/h": 600, "3600/60m": 3600}[quota]
    assert 0.99 * per_hour * hours <= len(world.started) <= per_hour * hours + 1


def test_no_turn_is_outside_the_hours_and_a_batch_ends_before_they_do() -> None:
    start = datetime(2027, 6, 4, 21, 59, 30, tzinfo=BERLIN).timestamp()  # a Friday
    limits = Limits("", "Mon-Fri 22:00-22:01, Sat,Sun 21:59-22:01", "Europe/Berlin")
    world = fleet("40/s", limits, start=start)

    while world.now < start + 86_500:
        world.reserve(SHARDS[0], 50)
        world.wait(0.1 if world.pace.next_free > world.now - 1 else 10.0)

    times = {datetime.fromtimestamp(at, BERLIN).strftime("%a %H:%M") for at in world.started}
    assert times == {"Fri 22:00", "Sat 21:59", "Sat 22:00"}
    assert len(world.started) >= 0.98 * 40 * 180 - 600  # the loop wakes up to 10 s late, twice


@pytest.mark.slow
def test_a_year_of_50000_a_day_keeps_both_limits_and_ends_when_foretold() -> None:
    """Turn by turn around each midnight, each end of a quota and each clock change; else in bulk.

    A bulk counts and moves `next_free` as its turns one by one would.
    """
    start = datetime(2027, 1, 1, 0, 0, tzinfo=BERLIN).timestamp()
    limits = Limits("50000/d", "", "Europe/Berlin")
    pace = configure_limits(configure(Pace(), "1/s", now=start), limits, now=start)
    pace = own(pace, SHARDS[0], "host-a", now=start)
    orders = 50_000 * 365
    foretold = seconds_to_send(orders, pace, 1.0, start)
    now, left, last = start, orders, 0.0
    by_day: Counter[str] = Counter()

    while left:
        day = datetime.fromtimestamp(now, BERLIN)
        changes = day.strftime("%m-%d") in {"03-28", "10-31"}
        used = by_day[day.strftime("%j")]
        bulk = (7_000 if changes and used < 7_000 else 49_900) - used
        if used > 100 and bulk > 0 and not (changes and 7_000 <= used < 8_000):
            counted = pace.used.with_turns(pace.limits.parsed, pace.next_free, bulk)
            pace = replace(pace, used=counted, next_free=pace.next_free + bulk, reserved=())
            by_day[day.strftime("%j")] += bulk
            now, left, last = now + bulk, left - bulk, last + bulk
        pace, got = reserve(pace, shard=SHARDS[0], token="host-a", wanted=1, now=now)
        if isinstance(got, Closed):
            assert got.until is not None
            now = got.until - 0.3
            continue
        assert isinstance(got, Grant)
        turn = got.turns[0]
        assert turn - last >= 1.0 - 1e-6
        by_day[datetime.fromtimestamp(turn, BERLIN).strftime("%j")] += 1
        now, left, last = turn, left - 1, turn

    assert len(by_day) == 365
    assert max(by_day.values()) <= 50_000
    assert min(by_day.values()) >= 0.99 * 50_000
    assert abs(last - start - foretold) <= 0.02 * foretold
