"""Writes a step of the pace while others change it too."""

from collections.abc import Callable

from ledger.contention import Contention
from ledger.pace.pace import Pace
from ledger.ports.pace import PaceStore

CHANGE_TRIES = 100
"""Every reservation of every shard is a change, so many more tries are lost here than elsewhere."""


def change(store: PaceStore, step: Callable[[Pace], Pace]) -> Pace:
    """Take a pure step from the current pace, again from the newer one if somebody was faster.

    A step that changes nothing writes nothing. Returns the pace after the step. Raises
    LedgerUnreachable after CHANGE_TRIES lost tries, and what the store raises.
    """
    contention = pace_contention()
    while True:
        old = store.read_pace()
        new = step(old)
        if new == old or store.swap_pace(old, new):
            return new
        contention.lost()


def pace_contention() -> Contention:
    """For a change of the pace; it does not wait between tries, because a turn may depend on it."""
    return Contention("a change of the pace", tries=CHANGE_TRIES, is_patient=False)
