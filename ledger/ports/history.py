"""Where the history is kept."""

from typing import Protocol

from ledger.history import History


class HistoryStore(Protocol):
    """Where the history is kept."""

    def read_history(self) -> History:
        """The history; an empty one if there is none."""

    def swap_history(self, old: History, new: History) -> bool:
        """Write `new` (with the next revision) if the item still has `old`'s revision."""
