"""Where it is kept which upload held some bytes first."""

from typing import Protocol

from orders.upload import UploadId


class Fingerprints(Protocol):
    """Which upload holds a fingerprint (`ledger.uploads.duplicate`)."""

    def claim_fingerprint(
        self, fingerprint: str, upload: UploadId, *, instead_of: UploadId | None = None, now: float
    ) -> UploadId:
        """Claim it for an upload where none, or `instead_of`, holds it; returns who holds it now.

        A claim is kept for more than a year.
        """

    def holder_of(self, fingerprint: str) -> UploadId | None:
        """The upload that holds it."""
