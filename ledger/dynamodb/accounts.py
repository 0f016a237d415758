"""What is known of an upload and its lanes?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.dynamodb.lane_item import lane_of, tally_of
from ledger.dynamodb.schema import (
    ENDED,
    LANE_ROW,
    OPEN,
    ROWS,
    instant,
    key,
    text,
    upload_of_pk,
    upload_pk,
)
from ledger.dynamodb.table import OnTable
from ledger.dynamodb.upload_item import upload_of
from ledger.ports.lanes import Tally
from ledger.ports.uploads import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orders.upload import UploadId

TOTALS = key("totals", "totals")
"""The item that counts the settled orders of all uploads that are over."""


class DynamoAccounts(OnTable):
    """The part of an UploadLedger that reads."""

    def read_account(self, upload: UploadId) -> Account | None:
        """See UploadLedger.read_account."""
        items = list(self._table.partition(upload_pk(upload), begins_with=ROWS))
        rows = [upload_of(item) for item in items if not _is_lane(text(item, "sk"))]
        if not rows:
            return None
        row = rows[0]
        lanes = (lane_of(item) for item in items if _is_lane(text(item, "sk")))
        # Where two first runs disagreed on the lanes, the loser's rows may stand beyond them.
        return Account(row, tuple(lane for lane in lanes if lane.key.lane < row.lanes))

    def open_accounts(self) -> Iterable[Account]:
        """See UploadLedger.open_accounts."""
        for account in self._listed(OPEN):
            if account.upload.listed_open:
                yield account

    def ended_accounts(self, *, since: float) -> Iterable[Account]:
        """See UploadLedger.ended_accounts."""
        return self._listed(ENDED, since=instant(since))

    def ended_tally(self) -> Tally:
        """See UploadLedger.ended_tally."""
        item = self._table.get(TOTALS)
        return tally_of(item) if item else Tally()

    def _listed(self, listing: str, *, since: str = "") -> Iterator[Account]:
        for found in self._table.listed(listing, since=since):
            account = self.read_account(upload_of_pk(text(found, "pk")))
            if account is not None:
                yield account


def _is_lane(sk: str) -> bool:
    return sk.startswith(LANE_ROW)
