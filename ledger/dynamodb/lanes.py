"""How are lanes kept in DynamoDB?"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from ledger.contention import Contention
from ledger.dynamodb.lane_item import lane_attributes, lane_key, lane_of
from ledger.dynamodb.table import ConditionFailed, OnTable
from ledger.errors import lane_missing
from ledger.uploads.settlement import settle

if TYPE_CHECKING:
    from ledger.dynamodb.schema import Item
    from ledger.uploads.lane import Lane, LaneKey
    from ledger.uploads.settlement import Settlement

_ATTRIBUTES = (
    *("mark", "ahead", "gaps", "recent", "ended", "revision", "writer"),
    *("accepted", "refused", "cancelled", "missing"),
)
_SET = "SET " + ", ".join(f"#{name} = :{name}" for name in _ATTRIBUTES)
_NAMES = {f"#{name}": name for name in _ATTRIBUTES}


class DynamoLanes(OnTable):
    """A LaneLedger."""

    def read_lane(self, key: LaneKey) -> Lane | None:
        """See LaneLedger.read_lane."""
        item = self._table.get(lane_key(key))
        return lane_of(item) if item else None

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        """See LaneLedger.settle.

        | this writer            | another writer       | what stands           |
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
            failed = self._write_lane(settled, seen_revision=lane.revision)
            if failed is None:
                return settled
            if failed.item is None:
                raise lane_missing(lane.key.upload, lane.key.lane)
            lane = lane_of(failed.item)
            if lane.writer == writer:
                return lane
            contention.lost()

    def _write_lane(self, lane: Lane, *, seen_revision: int) -> ConditionFailed | None:
        values: Item = {f":{name}": value for name, value in lane_attributes(lane).items()}
        values[":seen"] = {"N": str(seen_revision)}
        return self._table.update(
            {
                "TableName": self._table.name,
                "Key": lane_key(lane.key),
                "UpdateExpression": _SET,
                # revision = :seen holds while nobody has settled since the caller's view of the
                # lane, and never where the lane has no row.
                "ConditionExpression": "revision = :seen",
                "ExpressionAttributeNames": _NAMES,
                "ExpressionAttributeValues": values,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        )
