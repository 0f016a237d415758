"""Where worker numbers are claimed."""

from collections.abc import Iterable
from typing import Protocol

from ledger.claim import Claim


class Claims(Protocol):
    """Where worker numbers are claimed."""

    def claims(self, worker_id: str) -> Iterable[Claim]:
        """Every claim under this worker id."""

    def all_claims(self) -> Iterable[Claim]:
        """Every claim under any worker id, for display; a very recent claim may be missing."""

    def take_claim(self, claim: Claim, *, instead_of: Claim | None) -> bool:
        """Write the claim if there is none, or if `instead_of` is the current one.

        It is the same if token and heartbeat are. False: somebody else was faster.
        """

    def renew_claim(self, claim: Claim) -> bool:
        """Write the heartbeat and the daemon of a claim. False: it was taken over."""

    def release_claim(self, claim: Claim) -> None:
        """Release it, if this token still holds it."""
