"""The earlier upload of the same bytes, whose orders were sent or will be."""

from datetime import UTC, datetime
from typing import Protocol

from ledger.ports.fingerprints import Fingerprints
from ledger.ports.uploads import UploadLedger
from ledger.uploads.duplicate import fingerprint_of, was_sent
from ledger.uploads.upload import Account, Source
from orders.upload import UploadId


class DuplicateLedger(UploadLedger, Fingerprints, Protocol):
    """The parts of the ledger that know uploads and their fingerprints."""


def find_same_bytes(ledger: DuplicateLedger, source: Source) -> Account | None:
    """The upload that held these bytes before; nothing is written."""
    fingerprint = fingerprint_of(source)
    holder = ledger.holder_of(fingerprint) if fingerprint else None
    account = ledger.read_account(holder) if holder else None
    return account if account and was_sent(account) else None


def claim_bytes(
    ledger: DuplicateLedger, source: Source, upload: UploadId, *, now: float
) -> Account | None:
    """Note these bytes for an upload, so that a later one of the same is noticed.

    Returns the upload that held them before; the same however often it is asked. An upload of
    which nothing was sent makes way.
    """
    fingerprint = fingerprint_of(source)
    if not fingerprint:
        return None
    holder = ledger.claim_fingerprint(fingerprint, upload, now=now)
    while holder != upload:
        account = ledger.read_account(holder)
        if account and was_sent(account):
            return account
        holder = ledger.claim_fingerprint(fingerprint, upload, instead_of=holder, now=now)
    return None


def same_bytes_clause(earlier: Account) -> str:
    """What a person is told of the earlier upload."""
    upload = earlier.upload
    at = datetime.fromtimestamp(upload.created_at, UTC)
    return (
        f"the same file was uploaded as {upload.source.key} on {at:%Y-%m-%d %H:%M} UTC "
        f"(upload {upload.id}, {upload.state.value})"
    )
