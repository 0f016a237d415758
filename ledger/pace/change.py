"""How is the pace changed while others change it too?"""

from collections.abc import Callable

from ledger.errors import LedgerUnreachable
from ledger.pace.pace import Pace
from ledger.ports.pace import PaceStore

TRIES = 100
"""Each lost try means that somebody else's change went in, so this many in a row is a fault."""


def change(store: PaceStore, step: Callable[[Pace], Pace]) -> Pace:
    """Take a pure step from the pace as it stands, anew wherever somebody was faster.

    A step that changes nothing writes nothing. Returns the pace after the step. Raises
    LedgerUnreachable after TRIES lost tries, and what the store raises.
    """
    for _ in range(TRIES):
        old = store.read_pace()
        new = step(old)
        if new == old or store.swap_pace(old, new):
            return new
    raise LedgerUnreachable(
        f"the pace changed {TRIES} times while it was to be changed",
        hint="try again; if it stays so, look for processes that reserve turns without end",
    )
