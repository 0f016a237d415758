"""How are claims of worker numbers kept in memory?"""

from collections.abc import Iterable

from ledger.claim import Claim
from ledger.memory.rows import OnRows


class MemoryClaims(OnRows):
    """Claims."""

    def claims(self, worker_id: str) -> Iterable[Claim]:
        """See Claims.claims."""
        with self._rows.lock:
            claims = [c for c in self._rows.claims.values() if c.worker_id == worker_id]
        return sorted(claims, key=lambda claim: claim.number)

    def all_claims(self) -> Iterable[Claim]:
        """See Claims.all_claims."""
        with self._rows.lock:
            claims = list(self._rows.claims.values())
        return sorted(claims, key=lambda claim: (claim.number, claim.worker_id))

    def take_claim(self, claim: Claim, *, instead_of: Claim | None) -> bool:
        """See Claims.take_claim."""
        with self._rows.lock:
            standing = self._rows.claims.get((claim.worker_id, claim.number))
            if standing is not None and standing.token == claim.token:
                return True
            if _stand(standing) != _stand(instead_of):
                return False
            self._rows.claims[claim.worker_id, claim.number] = claim
            return True

    def renew_claim(self, claim: Claim) -> bool:
        """See Claims.renew_claim."""
        with self._rows.lock:
            standing = self._rows.claims.get((claim.worker_id, claim.number))
            if standing is None or standing.token != claim.token:
                return False
            self._rows.claims[claim.worker_id, claim.number] = claim
            return True

    def release_claim(self, claim: Claim) -> None:
        """See Claims.release_claim."""
        with self._rows.lock:
            standing = self._rows.claims.get((claim.worker_id, claim.number))
            if standing is not None and standing.token == claim.token:
                del self._rows.claims[claim.worker_id, claim.number]


def _stand(claim: Claim | None) -> tuple[str, float] | None:
    return (claim.token, claim.heartbeat_at) if claim else None
