"""Do several shard processes share one pace, whatever happens to it?"""

from itertools import pairwise

import pytest

from ledger.ports import pace_steps as steps
from ledger.ports.pace import Override, Pause
from ledger.ports.pace_turns import own
from tests.fleet import START, Fate, Fleet, PlannedOrder

LANE = [PlannedOrder(1, twin, Fate.KEPT) for twin in range(14)]


def fleet_of(shards: int, *, rate: str, begun: int = 9) -> Fleet:
    fleet = Fleet([[LANE] for _ in range(shards)], shards=shards, seed=0, is_late=False)
    fleet.change_pace(lambda pace: steps.configure(pace, rate, now=START))
    for shard in fleet.shards[:begun]:
        fleet.start(shard)
    return fleet


def smallest_gap(fleet: Fleet) -> float:
    times = [request.at for request in fleet.api.requests]
    return min(after - before for before, after in pairwise(times))


@pytest.mark.parametrize("shards", [2, 3])
def test_the_shards_together_use_every_turn_and_no_more(shards: int) -> None:
    fleet = fleet_of(shards, rate="1/s")

    fleet.run(14.0 * shards)

    assert len(fleet.api.requests) == 14 * shards
    assert smallest_gap(fleet) > 0.99


def test_a_pause_that_is_taken_back_before_all_have_seen_it_gives_no_turn_twice() -> None:
    fleet = fleet_of(2, rate="2/s")
    fleet.run(3.1)

    fleet.change_pace(lambda pace: steps.pause(pace, Pause("ann", "oops", START + 3.1, None)))
    fleet.change_pace(steps.resume)
    fleet.run(10.0)

    assert smallest_gap(fleet) > 0.99 * 0.5
    assert len(fleet.api.requests) > 20


def test_a_slower_rate_leaves_no_process_behind_its_turns() -> None:
    fleet = fleet_of(2, rate="5/s", begun=1)
    fleet.change_pace(
        lambda pace: steps.override(pace, Override("1/s", "ann", "", None), now=START)
    )

    fleet.run(10.3)
    fleet.start(fleet.shards[1])
    fleet.run(10.0)

    later = [request.at for request in fleet.api.requests if request.at > START + 2.0]
    assert min(after - before for before, after in pairwise(later)) > 0.99


def test_a_process_that_cannot_see_the_pace_starts_nothing_more() -> None:
    fleet = fleet_of(1, rate="20/m")
    fleet.run(0.5)
    fleet.is_ledger_down = True
    shard = fleet.shards[0].name
    fleet.change_pace(lambda pace: own(pace, shard, "another", now=START + 0.5))

    fleet.run(30.0)

    assert len(fleet.api.requests) == 1


def test_sending_goes_on_in_its_turn_when_the_ledger_is_back() -> None:
    fleet = fleet_of(1, rate="1/s")
    fleet.run(3.5)
    fleet.is_ledger_down = True
    fleet.run(10.0)
    fleet.is_ledger_down = False

    fleet.run(15.0)

    assert len(fleet.api.requests) == 14
    assert smallest_gap(fleet) > 0.99
