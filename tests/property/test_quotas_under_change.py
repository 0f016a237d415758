"""Promise 3 with quotas while rate and quotas change, the API fails and clocks are off."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.pace.hold import Failure, HoldKind
from ledger.pace.limits import Limits
from ledger.pace.pace import AHEAD_SECONDS, NOTICE_SECONDS, Override, Pause
from ledger.pace.reservation import LATE_SECONDS, Closed, Grant
from ledger.pace.steps import answered, configure_limits, failed, override, pause, resume
from ledger.pace.turns import reserve
from tests.property.test_quotas import SHARDS, Fleet, fleet, most_by_clock, most_in

BERLIN = ZoneInfo("Europe/Berlin")
MORE, FEWER = "45/m,60/2m,200/h", "30/m,40/2m,200/h"
RATES = ("2/s", "4/s", "40/s", "none", None)


@dataclass
class World:
    """A fleet whose machines' clocks are off by so many seconds each."""

    fleet: Fleet
    skews: dict[str, float]

    def reserve(self, shard: str, wanted: int) -> None:
        """By the shard's own clock; it starts each turn when that clock shows it."""
        fleet, skew = self.fleet, self.skews[shard]
        if fleet.pace.next_free > fleet.now + skew + AHEAD_SECONDS:
            return
        token = fleet.pace.owners[shard]
        fleet.pace, got = reserve(
            fleet.pace, shard=shard, token=token, wanted=wanted, now=fleet.now + skew
        )
        if isinstance(got, Grant):
            turns = [(turn - skew, got.epoch) for turn in got.turns]
            fleet.held.setdefault(shard, []).extend(turns)

    def change(self, action: str, number: int) -> None:
        """What may still start until it is noticed does, and everything else is void."""
        fleet, now = self.fleet, self.fleet.now
        fleet._start_until(now + NOTICE_SECONDS)
        fleet.held = {}
        before = fleet.pace
        if action == "pause":
            after = resume(pause(before, Pause("me", "", now, None)))
        elif action == "override":
            rate = RATES[number % len(RATES)]
            chosen = Override(rate, "me", "", now + 20.0 * (number % 2) or None) if rate else None
            after = override(before, chosen, now=now)
        elif action == "limits":
            quota = (MORE, FEWER)[number % 2]
            after = configure_limits(before, Limits(quota, "", "Europe/Berlin"), now=now)
        elif action == "fail":
            kind = list(HoldKind)[number % 3]
            failure = Failure(kind, before.generation, "", float(number % 2 * 25), now)
            after = failed(before, failure, now=now)
        else:
            after = answered(before, before.generation, now=now, started_at=now)
        fleet.pace = after


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["reserve"] * 16 + ["restart", "pause", "override", "limits", "fail", "answer"]
        ),
        st.sampled_from(SHARDS),
        st.integers(1, 60),
        st.floats(0.0, 5.0),
    ),
    min_size=40,
    max_size=150,
)


def run(
    world: World, actions: list[tuple[str, str, int, float]], *, ends_answered: bool = True
) -> None:
    for action, shard, number, seconds in actions:
        if action == "reserve":
            world.reserve(shard, number)
        elif action == "restart":
            world.fleet.restart(shard)
        else:
            world.change(action, number)
        world.fleet.wait(seconds)
    if ends_answered:
        world.change("answer", 0)


@settings(max_examples=25, deadline=None)
@given(
    actions=ACTIONS,
    rate=st.sampled_from(["2/s", "200/s", "none"]),
    second=st.sampled_from([5, 58, 59]),
)
def test_no_window_holds_more_than_its_quota_while_all_of_it_changes(
    actions: list[tuple[str, str, int, float]], rate: str, second: int
) -> None:
    start = datetime(2027, 3, 27, 23, 59, second, tzinfo=BERLIN).timestamp()
    limits = Limits(MORE, "", "Europe/Berlin")
    world = World(fleet(rate, limits, start=start), dict.fromkeys(SHARDS, 0.0))

    run(world, actions)
    world.fleet.wait(30.0)

    assert most_by_clock(world.fleet.started, "%d %H:%M") <= 45
    assert most_by_clock(world.fleet.started, "%d %H %z") <= 200
    assert most_in(world.fleet.started, 120.0) <= 60


@settings(max_examples=20, deadline=None)
@given(actions=ACTIONS, skews=st.tuples(*[st.floats(-1.0, 1.0)] * len(SHARDS)))
def test_clocks_that_are_off_by_a_second_matter_only_at_a_windows_ends(
    actions: list[tuple[str, str, int, float]], skews: tuple[float, ...]
) -> None:
    start = datetime(2027, 6, 1, 12, 0, 58, tzinfo=BERLIN).timestamp()
    limits = Limits("45/m,300/h", "", "Europe/Berlin")
    world = World(fleet("4/s", limits, start=start), dict(zip(SHARDS, skews, strict=True)))

    run(world, [one for one in actions if one[0] not in {"limits", "override"}])
    world.fleet.wait(30.0)

    inside = [at for at in world.fleet.started if 1.0 <= at % 60.0 < 59.0]
    assert most_by_clock(inside, "%d %H:%M") <= 45
    assert most_by_clock(world.fleet.started, "%d %H:%M") <= 45 + 4 * (1 + 1) + 1


@settings(max_examples=20, deadline=None)
@given(actions=ACTIONS, rate=st.sampled_from(["2/s", "200/s", "none"]))
def test_whatever_happened_sending_goes_on_in_the_next_window(
    actions: list[tuple[str, str, int, float]], rate: str
) -> None:
    start = datetime(2027, 6, 1, 12, 0, 58, tzinfo=BERLIN).timestamp()
    limits = Limits("45/m,60/2m", "", "Europe/Berlin")
    world = World(fleet(rate, limits, start=start), dict.fromkeys(SHARDS, 0.0))
    run(world, [one for one in actions if one[0] != "limits"])
    now = world.fleet.now

    got = None
    while not isinstance(got, Grant) and world.fleet.now < now + 125.0 + LATE_SECONDS:
        pace = replace(world.fleet.pace, hold=None)
        token = pace.owners[SHARDS[0]]
        _, got = reserve(pace, shard=SHARDS[0], token=token, wanted=1, now=world.fleet.now)
        if isinstance(got, Closed):
            assert got.until is not None
            assert got.until > world.fleet.now
            world.fleet.wait(got.until - world.fleet.now)

    assert isinstance(got, Grant)
