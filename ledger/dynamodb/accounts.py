"""Reading uploads and their lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.dynamodb.lane_row import lane_of, tally_of
from ledger.dynamodb.schema import (
    ENDED,
    ENDED_COPY,
    LANE_ROW,
    OPEN,
    ROWS,
    UPLOAD_ROW,
    instant,
    key,
    lane_sk,
    upload_id_of,
    upload_pk,
)
from ledger.dynamodb.table import BATCH_ITEMS, OnTable
from ledger.dynamodb.upload_row import listed_upload_of, upload_of
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.dynamodb.row import Row
    from orders.upload import UploadId

TOTALS = key("totals", "totals")
"""The row that counts the settled orders of all ended uploads."""


class DynamoAccounts(OnTable):
    """The part of an UploadLedger that reads."""

    def read_account(self, upload: UploadId) -> Account | None:
        return _account_of(list(self._table.partition(upload_pk(upload), begins_with=ROWS)))

    def open_accounts(self) -> Iterable[Account]:
        accounts = self._read_listed(self._table.listed(OPEN))
        return (account for account in accounts if account.upload.listed_open)

    def ended_accounts(self, *, since: float) -> Iterable[Account]:
        return self._read_listed(self._table.listed(ENDED, since=instant(since)))

    def ended_tally(self) -> Tally:
        row = self._table.get(TOTALS)
        return tally_of(row) if row else Tally()

    def _read_listed(self, entries: Iterable[Row]) -> Iterator[Account]:
        """The accounts of entries of the index, in their order.

        An entry that holds a copy of its row needs no call. The rows of the others (open, or the
        index or the row is older than the copy) are read together, as many as fit into a call.
        """
        together: list[Row] = []
        keys: list[Row] = []
        for entry in entries:
            together.append(entry)
            keys += _row_keys(entry)
            if not keys or len(keys) >= BATCH_ITEMS:
                yield from self._read_together(together, keys)
                together, keys = [], []
        yield from self._read_together(together, keys)

    def _read_together(self, entries: list[Row], keys: list[Row]) -> Iterator[Account]:
        rows: dict[UploadId, list[Row]] = {}
        for row in self._table.get_many(keys):
            rows.setdefault(upload_id_of(row), []).append(row)
        for entry in entries:
            copied, upload = listed_upload_of(entry), upload_id_of(entry)
            account = Account(copied) if copied else self._account_at(upload, rows.get(upload, []))
            if account is not None:
                yield account

    def _account_at(self, upload: UploadId, rows: list[Row]) -> Account | None:
        account = _account_of(rows)
        if account is None or account.upload.ended_tally is not None:
            return account
        if len(account.lanes) < account.upload.lanes:
            # The entry is older than the first run, which made the lanes.
            return self.read_account(upload)
        return account


def _row_keys(entry: Row) -> list[Row]:
    """The keys of an upload's row and of its lanes, as far as the index knows them.

    No keys if the entry holds a copy of the row.
    """
    if ENDED_COPY in entry:
        return []
    pk, lanes = str(entry["pk"]), entry.get("lanes")
    numbers = range(lanes if isinstance(lanes, int) else 0)
    return [key(pk, UPLOAD_ROW), *(key(pk, lane_sk(number)) for number in numbers)]


def _account_of(rows: list[Row]) -> Account | None:
    upload = next((upload_of(row) for row in rows if row["sk"] == UPLOAD_ROW), None)
    if upload is None:
        return None
    lanes = (lane_of(row) for row in rows if str(row["sk"]).startswith(LANE_ROW))
    # Where two first runs disagreed on the number of lanes, the loser's rows may exist beyond it.
    kept = (lane for lane in lanes if lane.key.lane < upload.lanes)
    return Account(upload, tuple(sorted(kept, key=lambda lane: lane.key)))
