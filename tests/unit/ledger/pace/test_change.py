"""A change of the pace repeats its step until nobody is faster."""

from dataclasses import replace

import pytest

from ledger.errors import LedgerUnreachable
from ledger.pace.change import CHANGE_TRIES, change
from ledger.pace.pace import Pace
from ledger.pace.steps import configure


class ContendedStore:
    """A pace that somebody else changes just before each of the first `lost` writes."""

    def __init__(self, lost: int) -> None:
        self.pace = Pace()
        self.lost = lost
        self.writes = 0

    def read_pace(self) -> Pace:
        return self.pace

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        self.writes += 1
        if self.lost:
            self.lost -= 1
            self.pace = replace(self.pace, epoch=self.pace.epoch + 1, revision=old.revision + 1)
            return False
        self.pace = replace(new, revision=old.revision + 1)
        return True


def test_a_step_is_taken_again_from_the_result_of_a_faster_change() -> None:
    store = ContendedStore(lost=3)

    change(store, lambda pace: configure(pace, "2/s", now=100.0))

    assert store.pace.configured == "2/s"
    assert store.pace.epoch == 4


def test_a_step_that_changes_nothing_writes_nothing() -> None:
    store = ContendedStore(lost=0)

    assert change(store, lambda pace: pace) == Pace()

    assert store.writes == 0


def test_a_pace_that_never_holds_still_is_a_fault() -> None:
    store = ContendedStore(lost=CHANGE_TRIES)

    with pytest.raises(LedgerUnreachable):
        change(store, lambda pace: configure(pace, "2/s", now=100.0))
