"""The bucket as the producer sees it."""

from collections.abc import Iterator
from typing import Protocol

from ledger.uploads.upload import Source


class SourceLost(Exception):
    """The stored object is gone or was replaced; `reason` is a clause for its owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ObjectStore(Protocol):
    """Where uploads and reports are stored."""

    def open_at(self, source: Source, offset: int) -> Iterator[bytes]:
        """The bytes of exactly this version from `offset` on. Raises SourceLost."""

    def put_report(self, bucket: str, key: str, part: bytes) -> None:
        """Store a part of a report; idempotent."""
