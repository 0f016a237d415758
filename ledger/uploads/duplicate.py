"""When are two uploads the same bytes, and does the earlier one count?"""

from enum import StrEnum

from ledger.uploads.upload import Account, Source


class Duplicates(StrEnum):
    """What to do about orders that were uploaded before."""

    ALLOW = "allow"
    WARN = "warn"
    REFUSE = "refuse"


def fingerprint_of(source: Source) -> str:
    """A text that two objects share if they hold the same bytes; empty where nothing tells.

    S3's ETag is a hash of the bytes, unless the bucket encrypts with KMS, and of its parts where a
    large file was stored in parts: other parts (another tool) give another ETag. Known before a
    byte is read, it costs reading nothing.
    """
    etag = source.etag.strip('"')
    return f"{etag}-{source.size_bytes}" if etag and source.size_bytes else ""


def was_sent(account: Account) -> bool:
    """Were orders of the upload sent, or will they be? Else the same file is welcome again."""
    tally = account.tally
    return account.upload.listed_open or bool(tally.accepted + tally.refused + tally.missing)
