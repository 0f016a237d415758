"""Lanes in DynamoDB."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from ledger.contention import Contention
from ledger.dynamodb.conditional import Change
from ledger.dynamodb.lane_row import lane_fields, lane_key, lane_of
from ledger.dynamodb.table import OnTable
from ledger.errors import lane_missing
from ledger.uploads.settlement import settle

if TYPE_CHECKING:
    from ledger.uploads.lane import Lane, LaneKey
    from ledger.uploads.settlement import Settlement


class DynamoLanes(OnTable):
    """A LaneLedger."""

    def read_lane(self, key: LaneKey) -> Lane | None:
        row = self._table.get(lane_key(key))
        return lane_of(row) if row else None

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        """See LaneLedger.settle.

        | this writer            | another writer       | the row               |
        |------------------------|----------------------|-----------------------|
        | reads revision 7       | reads revision 7     | 7                     |
        |                        | writes 8             | 8, written by B       |
        | writes 8 if 7: refused |                      | 8, written by B       |
        | settles the row it was |                      |                       |
        | refused with, writes 9 |                      | 9, written by A       |
        | (the answer is lost)   |                      | 9, written by A       |
        | writes 9 if 8: refused |                      | 9, written by A: done |
        """
        writer = token_hex(8)
        contention = Contention(f"a settle of lane {lane.key.lane} of upload {lane.key.upload}")
        while True:
            settled = settle(lane, settlement, writer=writer)
            # revision holds while nobody has settled since the caller's view of the lane, and
            # never if the lane has no row.
            change = Change(
                lane_key(lane.key),
                lane_fields(settled),
                "revision = :seen",
                {"seen": lane.revision},
            )
            failed = self._table.write(change)
            if failed is None:
                return settled
            if failed.row is None:
                raise lane_missing(lane.key.upload, lane.key.lane)
            lane = lane_of(failed.row)
            if lane.writer == writer:
                return lane
            contention.lost()
