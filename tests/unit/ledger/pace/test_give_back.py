from dataclasses import replace

import pytest

from ledger.pace.limits import Limits
from ledger.pace.pace import Pace
from ledger.pace.quota_use import quota_use
from ledger.pace.reservation import Grant, Unused
from ledger.pace.steps import configure, configure_limits
from ledger.pace.turns import own, reserve
from ledger.pace.voiding import give_back

NOON = 1_800_014_400.0


def used(pace: Pace) -> int:
    return quota_use(pace, NOON)[0].used


def with_turns(count: int) -> tuple[Pace, list[Unused]]:
    pace = configure(Pace(), "200/s", now=NOON)
    pace = own(configure_limits(pace, Limits("60/m"), now=NOON), "shardId-0", "host-a", now=NOON)
    pace, got = reserve(pace, shard="shardId-0", token="host-a", wanted=count, now=NOON)
    assert isinstance(got, Grant)
    return pace, [Unused(turn, got.epoch, got.generation) for turn in got.turns]


def test_turns_that_passed_unused_are_not_counted() -> None:
    pace, turns = with_turns(10)
    assert used(pace) == 10

    after = give_back(pace, turns[4:])

    assert used(after) == 4


@pytest.mark.parametrize("changed", [{"epoch": 99}, {"generation": 99}])
def test_turns_of_before_a_change_stay_counted(changed: dict[str, int]) -> None:
    """A void gave back what could not start any more; twice would be too much."""
    pace, turns = with_turns(10)

    after = give_back(replace(pace, **changed), turns)  # type: ignore[arg-type]

    assert used(after) == 10


def test_without_a_quota_nothing_is_counted() -> None:
    pace = configure(Pace(), "200/s", now=NOON)

    assert give_back(pace, [Unused(NOON, pace.epoch, pace.generation)]) is pace
