"""What is known of an upload and its lanes?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.dynamodb.lane_item import lane_of, tally_of
from ledger.dynamodb.readable import names_its_row
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
    text,
    upload_of_pk,
    upload_pk,
    whole,
)
from ledger.dynamodb.table import BATCH_ITEMS, OnTable
from ledger.dynamodb.upload_item import listed_upload_of, upload_of
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.dynamodb.schema import Item
    from orders.upload import UploadId

TOTALS = key("totals", "totals")
"""The item that counts the settled orders of all uploads that are over."""


class DynamoAccounts(OnTable):
    """The part of an UploadLedger that reads."""

    def read_account(self, upload: UploadId) -> Account | None:
        """See UploadLedger.read_account."""
        items = list(self._table.partition(upload_pk(upload), begins_with=ROWS))
        return _account_of(items)

    def open_accounts(self) -> Iterable[Account]:
        """See UploadLedger.open_accounts."""
        for account in self._read_listed(self._table.listed(OPEN)):
            if account.upload.listed_open:
                yield account

    def ended_accounts(self, *, since: float) -> Iterable[Account]:
        """See UploadLedger.ended_accounts."""
        yield from self._read_listed(self._table.listed(ENDED, since=instant(since)))

    def ended_tally(self) -> Tally:
        """See UploadLedger.ended_tally."""
        item = self._table.get(TOTALS)
        return names_its_row(tally_of)(item) if item else Tally()

    def _read_listed(self, entries: Iterable[Item]) -> Iterator[Account]:
        """The accounts of entries of the index, in their order.

        An entry that holds a copy of its row needs no call. The rows of the others (open, or the
        index or the row is older than the copy) are read together, as many as fit into a call.
        """
        together: list[Item] = []
        keys: list[Item] = []
        for entry in entries:
            together.append(entry)
            keys += _row_keys(entry)
            if not keys or len(keys) >= BATCH_ITEMS:
                yield from self._read_together(together, keys)
                together, keys = [], []
        yield from self._read_together(together, keys)

    def _read_together(self, entries: list[Item], keys: list[Item]) -> Iterator[Account]:
        rows: dict[str, list[Item]] = {}
        for item in self._table.get_many(keys):
            rows.setdefault(text(item, "pk"), []).append(item)
        for entry in entries:
            copied = listed_upload_of(entry)
            account = Account(copied) if copied else self._account_at(text(entry, "pk"), rows)
            if account is not None:
                yield account

    def _account_at(self, pk: str, rows: dict[str, list[Item]]) -> Account | None:
        account = _account_of(rows.get(pk, []))
        if account is None or account.upload.ended_tally is not None:
            return account
        if len(account.lanes) < account.upload.lanes:
            # The entry is older than the first run, which made the lanes.
            return self.read_account(upload_of_pk(pk))
        return account


def _row_keys(entry: Item) -> list[Item]:
    """The keys of an upload's row and of its lanes, as far as the index knows them.

    None where the entry holds a copy of the row.
    """
    if ENDED_COPY in entry:
        return []
    pk = text(entry, "pk")
    lanes = whole(entry, "lanes")
    return [key(pk, UPLOAD_ROW), *(key(pk, lane_sk(number)) for number in range(lanes))]


def _account_of(items: list[Item]) -> Account | None:
    rows = [upload_of(item) for item in items if not _is_lane(item)]
    if not rows:
        return None
    row = rows[0]
    lanes = sorted((lane_of(item) for item in items if _is_lane(item)), key=lambda one: one.key)
    # Where two first runs disagreed on the lanes, the loser's rows may stand beyond them.
    return Account(row, tuple(lane for lane in lanes if lane.key.lane < row.lanes))


def _is_lane(item: Item) -> bool:
    return text(item, "sk").startswith(LANE_ROW)
