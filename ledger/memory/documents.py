"""The pace and the history in memory."""

from dataclasses import replace

from ledger.memory.tables import Tables
from ledger.pace.history import History
from ledger.pace.pace import Pace


class MemoryDocuments(Tables):
    """A PaceStore and a HistoryStore."""

    def read_pace(self) -> Pace:
        return self._pace

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        with self._lock:
            if self._pace.revision != old.revision:
                return False
            self._pace = replace(new, revision=old.revision + 1)
            return True

    def read_history(self) -> History:
        return self._history

    def swap_history(self, old: History, new: History) -> bool:
        with self._lock:
            if self._history.revision != old.revision:
                return False
            self._history = replace(new, revision=old.revision + 1)
            return True
