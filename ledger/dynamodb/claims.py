"""How are claims of worker numbers kept in DynamoDB?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.claim import Claim, LiveProcess
from ledger.dynamodb.readable import names_its_row
from ledger.dynamodb.schema import LISTING, WORKER, key, n, s, seconds, text, whole
from ledger.dynamodb.table import OnTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.dynamodb.schema import Item

_PARTITION = "claims#"


class DynamoClaims(OnTable):
    """Claims."""

    def claims(self, worker_id: str) -> Iterable[Claim]:
        """See Claims.claims."""
        return [claim_of(item) for item in self._table.partition(f"{_PARTITION}{worker_id}")]

    def all_claims(self) -> Iterable[Claim]:
        """See Claims.all_claims."""
        keys = self._table.listed(WORKER)
        found = (self._table.get(key(text(k, "pk"), text(k, "sk"))) for k in keys)
        return sorted(
            (claim_of(item) for item in found if item),
            key=lambda claim: (claim.number, claim.worker_id),
        )

    def take_claim(self, claim: Claim, *, instead_of: Claim | None) -> bool:
        """See Claims.take_claim."""
        if instead_of is None:
            # attribute_not_exists: the number is free.
            failed = self._table.put(claim_item(claim), condition="attribute_not_exists(pk)")
        else:
            failed = self._table.put(
                claim_item(claim),
                # claim_token: nobody else took it over. heartbeat_at: its holder, thought dead, has
                # not shown since that it lives.
                condition="claim_token = :token AND heartbeat_at = :heartbeat_at",
                seen={":token": s(instead_of.token), ":heartbeat_at": n(instead_of.heartbeat_at)},
            )
        if failed is None:
            return True
        # The write may have taken effect although its answer was lost.
        return failed.item is not None and text(failed.item, "claim_token") == claim.token

    def renew_claim(self, claim: Claim) -> bool:
        """See Claims.renew_claim."""
        # claim_token holds until somebody else takes the number over.
        failed = self._table.put(
            claim_item(claim),
            condition="claim_token = :claim_token",
            seen={":claim_token": s(claim.token)},
        )
        return failed is None

    def release_claim(self, claim: Claim) -> None:
        """See Claims.release_claim."""
        # claim_token: it is still held by this one. Where it is not, nothing is to be given up.
        self._table.delete(
            _claim_key(claim),
            condition="claim_token = :claim_token",
            seen={":claim_token": s(claim.token)},
        )


def _claim_key(claim: Claim) -> Item:
    return key(f"{_PARTITION}{claim.worker_id}", _sk(claim))


def _sk(claim: Claim) -> str:
    return f"{claim.number:04d}"


def claim_item(claim: Claim) -> Item:
    """The whole item; the daemon stands there once it was started."""
    daemon: Item = {}
    if claim.daemon is not None:
        daemon = {"daemon_pid": n(claim.daemon.pid), "daemon_started": n(claim.daemon.started)}
    return (
        _claim_key(claim)
        | {
            LISTING: s(WORKER),
            "listed_at": s(_sk(claim)),  # never changes: a heartbeat costs no index write
            "claim_token": s(claim.token),
            "host": s(claim.host),
            "boot": s(claim.boot),
            "worker_pid": n(claim.worker.pid),
            "worker_started": n(claim.worker.started),
            "heartbeat_at": n(claim.heartbeat_at),
        }
        | daemon
    )


@names_its_row
def claim_of(item: Item) -> Claim:
    """The claim that an item holds."""
    daemon: LiveProcess | None = None
    if "daemon_pid" in item:
        daemon = LiveProcess(whole(item, "daemon_pid"), whole(item, "daemon_started"))
    return Claim(
        worker_id=text(item, "pk").removeprefix(_PARTITION),
        number=int(text(item, "sk")),
        token=text(item, "claim_token"),
        host=text(item, "host"),
        boot=text(item, "boot"),
        worker=LiveProcess(whole(item, "worker_pid"), whole(item, "worker_started")),
        daemon=daemon,
        heartbeat_at=seconds(item, "heartbeat_at") or 0.0,
    )
