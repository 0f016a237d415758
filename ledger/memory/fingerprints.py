"""Fingerprints of uploads in memory."""

from ledger.memory.tables import Tables
from orders.upload import UploadId


class MemoryFingerprints(Tables):
    """Fingerprints."""

    def claim_fingerprint(
        self,
        fingerprint: str,
        upload: UploadId,
        *,
        instead_of: UploadId | None = None,
        now: float,  # noqa: ARG002 - a memory ends sooner than a claim
    ) -> UploadId:
        with self._lock:
            if self._fingerprints.get(fingerprint, instead_of) == instead_of:
                self._fingerprints[fingerprint] = upload
            return self._fingerprints[fingerprint]

    def holder_of(self, fingerprint: str) -> UploadId | None:
        with self._lock:
            return self._fingerprints.get(fingerprint)
