"""Where the pace is kept."""

from typing import Protocol

from ledger.pace.pace import Pace


class PaceStore(Protocol):
    """Where the pace is kept."""

    def read_pace(self) -> Pace:
        """The pace as it is now, by a consistent read; a fresh Pace if there is none."""

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """Write `new` (with the next revision) if the item still has `old`'s revision."""
