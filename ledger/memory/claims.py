"""Claims of worker numbers in memory."""

from collections.abc import Iterable

from ledger.claim import Claim
from ledger.memory.tables import Tables


class MemoryClaims(Tables):
    """Claims."""

    def claims(self, worker_id: str) -> Iterable[Claim]:
        return [claim for claim in self.all_claims() if claim.worker_id == worker_id]

    def all_claims(self) -> Iterable[Claim]:
        with self._lock:
            claims = list(self._claims.values())
        return sorted(claims, key=lambda claim: (claim.number, claim.worker_id))

    def take_claim(self, claim: Claim, *, instead_of: Claim | None) -> bool:
        with self._lock:
            current = self._current_claim(claim)
            if current is None or current.token != claim.token:
                if _identity(current) != _identity(instead_of):
                    return False
                self._claims[claim.worker_id, claim.number] = claim
            return True

    def renew_claim(self, claim: Claim) -> bool:
        with self._lock:
            current = self._current_claim(claim)
            if current is None or current.token != claim.token:
                return False
            self._claims[claim.worker_id, claim.number] = claim
            return True

    def release_claim(self, claim: Claim) -> None:
        with self._lock:
            current = self._current_claim(claim)
            if current is not None and current.token == claim.token:
                del self._claims[claim.worker_id, claim.number]

    def _current_claim(self, claim: Claim) -> Claim | None:
        return self._claims.get((claim.worker_id, claim.number))


def _identity(claim: Claim | None) -> tuple[str, float] | None:
    return (claim.token, claim.heartbeat_at) if claim else None
