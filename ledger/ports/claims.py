"""Where worker numbers are claimed."""

from collections.abc import Iterable
from typing import Protocol

from ledger.claim import Claim


class Claims(Protocol):
    """Where worker numbers are claimed."""

    def claims(self, worker_id: str) -> Iterable[Claim]:
        """Every claim under this worker id."""

    def all_claims(self) -> Iterable[Claim]:
        """Every claim under any worker id, for who only looks; a claim taken just now may lack."""

    def take_claim(self, claim: Claim, *, instead_of: Claim | None) -> bool:
        """Write the claim where none stands, or where exactly `instead_of` stands.

        The same token and heartbeat make it the same. False: somebody else was faster.
        """

    def renew_claim(self, claim: Claim) -> bool:
        """Write the heartbeat and the daemon of a claim held. False: it was taken over."""

    def release_claim(self, claim: Claim) -> None:
        """Give it up, if it is still held by this token."""
