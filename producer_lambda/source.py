"""How are an upload's stored bytes read, of exactly the version that was uploaded?"""

from collections.abc import Iterator
from typing import Protocol

from ledger.uploads.upload import Source


class SourceLost(Exception):
    """The stored object is gone, or it is another one now; `reason` is a clause for its owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ObjectStore(Protocol):
    """Where uploads lie and reports go."""

    def open_at(self, source: Source, offset: int) -> Iterator[bytes]:
        """The object's bytes from `offset` on; none where it ends there. Raises SourceLost."""

    def put_report(self, bucket: str, key: str, part: bytes) -> None:
        """Store a part of a report; the same part again changes nothing."""
