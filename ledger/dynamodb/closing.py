"""How is an upload closed or cancelled, whoever comes last?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.contention import Contention
from ledger.dynamodb.accounts import TOTALS, DynamoAccounts
from ledger.dynamodb.lane_item import tally_attributes
from ledger.dynamodb.schema import LANE_ROW, OPEN, key, n, s, text, upload_pk
from ledger.dynamodb.table import Change, ConditionFailed
from ledger.dynamodb.upload_item import expires_at_of, upload_item, upload_key, upload_of
from ledger.errors import upload_missing
from ledger.uploads.closing import cancelled, closed, is_drained

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

    from ledger.dynamodb.schema import Item
    from ledger.uploads.lane import Tally
    from ledger.uploads.upload import Account, Upload
    from orders.upload import UploadId


def changed_attributes(old: Upload, new: Upload) -> Item:
    """What to set on the row of an upload so that it becomes the new one."""
    before = upload_item(old)
    return {name: a for name, a in upload_item(new).items() if before.get(name) != a}


def upload_contention(upload: UploadId) -> Contention:
    """For a change of an upload's row."""
    return Contention(f"a change of upload {upload}")


class DynamoClosing(DynamoAccounts):
    """The part of an UploadLedger that ends uploads."""

    def close_if_drained(self, upload: UploadId, *, now: float) -> Account:
        """See UploadLedger.close_if_drained.

        An order that was settled as missing and comes after the close is settled in its lane, but
        the totals of ended uploads go on counting it as missing.
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
            row = closed(account, now=now)
            if not self._table.transact(self._close(account.upload, row, account.tally)):
                contention.lost()

    def cancel(self, upload: UploadId, *, reason: str, now: float) -> Account:
        """See UploadLedger.cancel."""
        row = self._account(upload).upload
        contention = upload_contention(upload)
        while True:
            stopped = cancelled(row, reason=reason, now=now)
            if stopped == row:
                return self.close_if_drained(upload, now=now)
            # lanes: no run has fixed them since. Where one has, orders may be in the stream, and
            # the upload must stay listed until they are settled.
            began = "lanes = :lanes" if row.lanes else "attribute_not_exists(lanes)"
            written = self._table.change(
                Change(
                    key=upload_key(upload),
                    attributes=changed_attributes(row, stopped),
                    # listing: the upload is not over. state: it is the one that was read, so that
                    # neither a second cancel nor the end of the reading is undone.
                    condition=f"listing = :open AND #state = :seen_state AND {began}",
                    seen={":open": s(OPEN), ":seen_state": s(row.state)}
                    | ({":lanes": n(row.lanes)} if row.lanes else {}),
                )
            )
            row = self._row(upload, written)
            if isinstance(written, ConditionFailed):
                contention.lost()

    def link(self, upload: UploadId, linked: UploadId) -> None:
        """See UploadLedger.link."""
        # attribute_exists: the upload is known; the last link wins, and it is always the same.
        change = Change(upload_key(upload), {"linked": s(linked)}, "attribute_exists(pk)")
        if isinstance(self._table.change(change), ConditionFailed):
            raise upload_missing(upload)

    def _account(self, upload: UploadId) -> Account:
        account = self.read_account(upload)
        if account is None:
            raise upload_missing(upload)
        return account

    def _row(self, upload: UploadId, written: Item | ConditionFailed) -> Upload:
        """The row that a write left, or that refused it."""
        item = written.item if isinstance(written, ConditionFailed) else written
        if item is None:
            raise upload_missing(upload)
        return upload_of(item)

    def _close(self, old: Upload, new: Upload, tally: Tally) -> list[TransactWriteItemTypeDef]:
        """Close the row, and count its orders in the totals once: both or none."""
        change = Change(
            key=upload_key(old.id),
            attributes=changed_attributes(old, new),
            # listing: nobody has closed it yet. state: it is the one whose end was worked out.
            condition="listing = :open AND #state = :seen_state",
            seen={":open": s(OPEN), ":seen_state": s(old.state)},
        )
        close: UpdateTypeDef = {
            "TableName": self._table.name,
            "Key": change.key,
            "UpdateExpression": change.expression,
            "ConditionExpression": change.condition,
            "ExpressionAttributeNames": change.names,
            "ExpressionAttributeValues": change.values,
        }
        counts = tally_attributes(tally)
        count: UpdateTypeDef = {
            "TableName": self._table.name,
            "Key": TOTALS,
            "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in counts),
            "ExpressionAttributeNames": {f"#{name}": name for name in counts},
            "ExpressionAttributeValues": {f":{name}": value for name, value in counts.items()},
        }
        return [{"Update": close}, {"Update": count}]

    def _let_lanes_expire(self, ended: Upload) -> None:
        """Let every lane's row go with its upload's, also those of a first run that lost."""
        expires_at = {"expires_at": n(expires_at_of(ended))}
        for item in self._table.partition(upload_pk(ended.id), begins_with=LANE_ROW):
            if "expires_at" not in item:
                row = key(text(item, "pk"), text(item, "sk"))
                # attribute_exists: a lane's row is never made here.
                self._table.change(Change(row, expires_at, "attribute_exists(pk)"))
