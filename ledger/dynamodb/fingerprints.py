"""Fingerprints of uploads in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.dynamodb.row import names_its_row
from ledger.dynamodb.schema import fingerprint_key
from ledger.dynamodb.table import OnTable
from ledger.dynamodb.upload_row import ROWS_KEPT_SECONDS
from orders.upload import UploadId

if TYPE_CHECKING:
    from ledger.dynamodb.row import Row


class DynamoFingerprints(OnTable):
    """Fingerprints."""

    def claim_fingerprint(
        self, fingerprint: str, upload: UploadId, *, instead_of: UploadId | None = None, now: float
    ) -> UploadId:
        row = fingerprint_key(fingerprint) | {
            "upload": upload,
            "expires_at": int(now) + ROWS_KEPT_SECONDS,
        }
        # attribute_not_exists: nobody holds it. upload: it is the one to be replaced. Otherwise
        # the first one keeps it, this one included.
        failed = self._table.put(
            row,
            condition="attribute_not_exists(pk) OR upload = :old",
            seen={"old": instead_of or ""},
        )
        return _holder(failed.row) if failed and failed.row else upload

    def holder_of(self, fingerprint: str) -> UploadId | None:
        row = self._table.get(fingerprint_key(fingerprint))
        return _holder(row) if row else None


@names_its_row
def _holder(row: Row) -> UploadId:
    return UploadId(str(row["upload"]))
