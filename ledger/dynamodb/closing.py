"""Closing and cancelling uploads, whether reader or consumer is last."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ledger.contention import Contention
from ledger.dynamodb.accounts import TOTALS, DynamoAccounts
from ledger.dynamodb.conditional import Change, ConditionFailed
from ledger.dynamodb.row import to_item
from ledger.dynamodb.schema import LANE_ROW, OPEN, key_of, upload_pk
from ledger.dynamodb.upload_row import (
    LETTERS_CLOSED_AS_SEEN,
    changed_fields,
    expires_at_of,
    upload_key,
    upload_of,
)
from ledger.errors import upload_missing
from ledger.uploads.closing import cancelled, closed, is_drained

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from ledger.dynamodb.row import Row
    from ledger.uploads.upload import Account, Upload
    from orders.upload import UploadId


def upload_contention(upload: UploadId) -> Contention:
    """For a change of an upload's row."""
    return Contention(f"a change of upload {upload}")


class DynamoClosing(DynamoAccounts):
    """The part of an UploadLedger that ends uploads."""

    def close_if_drained(self, upload: UploadId, *, now: float) -> Account:
        """See UploadLedger.close_if_drained.

        A missing order that arrives after the close is settled in its lane, but the totals of
        ended uploads still count it as missing.
        """
        contention = upload_contention(upload)
        while True:
            account = self._account(upload)
            if not account.upload.listed_open:
                # Whoever ended it may have died before this, or had no lane to wait for.
                self._let_lanes_expire(account.upload)
                return account
            if not is_drained(account):
                return account
            if not self._table.transact(self._close(account, closed(account, now=now))):
                contention.lost()

    def cancel(self, upload: UploadId, *, reason: str, now: float) -> Account:
        row = self._account(upload).upload
        contention = upload_contention(upload)
        while True:
            stopped = cancelled(row, reason=reason, now=now)
            if stopped == row:
                return self.close_if_drained(upload, now=now)
            written = self._table.change(
                Change(
                    upload_key(upload),
                    changed_fields(row, stopped),
                    # listing: the upload has not ended. state: it is the one that was read, so
                    # that neither a second cancel nor the end of the reading is undone. lanes: no
                    # run has fixed them since. Where one has, orders may be in the stream, and
                    # the upload must stay listed until they are settled.
                    "listing = :open AND #state = :seen_state AND lanes = :seen_lanes",
                    {"open": OPEN, "seen_state": row.state, "seen_lanes": row.lanes},
                )
            )
            row = self._row(upload, written)
            if isinstance(written, ConditionFailed):
                contention.lost()

    def link(self, upload: UploadId, linked: UploadId) -> None:
        # attribute_exists: the upload is known; the last link wins, and it is always the same.
        change = Change(upload_key(upload), {"linked": linked}, "attribute_exists(pk)")
        if self._table.write(change):
            raise upload_missing(upload)

    def _account(self, upload: UploadId) -> Account:
        account = self.read_account(upload)
        if account is None:
            raise upload_missing(upload)
        return account

    def _row(self, upload: UploadId, written: Row | ConditionFailed) -> Upload:
        """The upload as a write left it, or as it was when it refused the write."""
        row = written.row if isinstance(written, ConditionFailed) else written
        if row is None:
            raise upload_missing(upload)
        return upload_of(row)

    def _close(self, account: Account, ended: Upload) -> list[TransactWriteItemTypeDef]:
        """Close the row, and count its orders in the totals once: both or none."""
        close = Change(
            upload_key(ended.id),
            changed_fields(account.upload, ended),
            # listing: nobody has closed it yet. state: the end was computed from this one.
            # letters_closed: no letter was closed since, so the copy of the row counts them all.
            f"listing = :open AND #state = :seen_state AND {LETTERS_CLOSED_AS_SEEN}",
            {
                "open": OPEN,
                "seen_state": account.upload.state,
                "seen_closed": account.upload.letters_closed,
            },
        )
        counts = asdict(account.tally)
        return [
            {"Update": close.request(self._table.name)},
            {
                "Update": {
                    "TableName": self._table.name,
                    "Key": to_item(TOTALS),
                    "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in counts),
                    "ExpressionAttributeNames": {f"#{name}": name for name in counts},
                    "ExpressionAttributeValues": to_item({f":{n}": c for n, c in counts.items()}),
                }
            },
        ]

    def _let_lanes_expire(self, ended: Upload) -> None:
        """Let every lane's row expire with its upload's, also those of a first run that lost."""
        expires_at: Row = {"expires_at": expires_at_of(ended)}
        for row in self._table.partition(upload_pk(ended.id), begins_with=LANE_ROW):
            if "expires_at" not in row:
                # attribute_exists: a lane's row is never made here.
                self._table.write(Change(key_of(row), expires_at, "attribute_exists(pk)"))
