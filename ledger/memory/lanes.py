"""How are lanes kept in memory?"""

from secrets import token_hex

from ledger.errors import lane_missing
from ledger.memory.rows import OnRows
from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.settlement import Settlement, settle


class MemoryLanes(OnRows):
    """A LaneLedger."""

    def read_lane(self, key: LaneKey) -> Lane | None:
        """See LaneLedger.read_lane."""
        with self._rows.lock:
            return self._rows.lanes.get(key)

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        """See LaneLedger.settle."""
        key = lane.key
        with self._rows.lock:
            now = self._rows.lanes.get(key)
            if now is None:
                raise lane_missing(key.upload, key.lane)
            settled = settle(now, settlement, writer=token_hex(8))
            self._rows.lanes[key] = settled
            return settled
