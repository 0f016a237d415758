"""How is the history of the pace kept in memory?"""

from dataclasses import replace

from ledger.history import History
from ledger.memory.rows import OnRows


class MemoryHistory(OnRows):
    """A HistoryStore."""

    def read_history(self) -> History:
        """See HistoryStore.read_history."""
        with self._rows.lock:
            return self._rows.history

    def swap_history(self, old: History, new: History) -> bool:
        """See HistoryStore.swap_history."""
        with self._rows.lock:
            if self._rows.history.revision != old.revision:
                return False
            self._rows.history = replace(new, revision=old.revision + 1)
            return True
