"""How is the pace kept in memory?"""

from dataclasses import replace

from ledger.memory.rows import OnRows
from ledger.pace.pace import Pace


class MemoryPace(OnRows):
    """A PaceStore."""

    def read_pace(self) -> Pace:
        """See PaceStore.read_pace."""
        with self._rows.lock:
            return self._rows.pace

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """See PaceStore.swap_pace."""
        with self._rows.lock:
            if self._rows.pace.revision != old.revision:
                return False
            self._rows.pace = replace(new, revision=old.revision + 1)
            return True
