"""Where the pace and its history are kept."""

from typing import Protocol

from ledger.pace.history import History
from ledger.pace.pace import Pace


class PaceStore(Protocol):
    """Where the pace is kept."""

    def read_pace(self) -> Pace:
        """The pace as it is now, by a consistent read; a fresh Pace if there is none."""

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """Write `new` (with the next revision) if the item still has `old`'s revision."""


class HistoryStore(Protocol):
    """Where the history is kept."""

    def read_history(self) -> History:
        """The history; an empty one if there is none."""

    def swap_history(self, old: History, new: History) -> bool:
        """Write `new` (with the next revision) if the item still has `old`'s revision."""
