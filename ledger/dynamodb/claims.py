"""Claims of worker numbers in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ledger.claim import Claim
from ledger.dynamodb.row import names_its_row
from ledger.dynamodb.schema import LISTING, WORKER, key, key_of
from ledger.dynamodb.table import OnTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.dynamodb.row import Row

_PARTITION = "claims#"
_CLAIM = TypeAdapter(Claim)


class DynamoClaims(OnTable):
    """Claims."""

    def claims(self, worker_id: str) -> Iterable[Claim]:
        return [claim_of(row) for row in self._table.partition(f"{_PARTITION}{worker_id}")]

    def all_claims(self) -> Iterable[Claim]:
        found = self._table.get_many(key_of(entry) for entry in self._table.listed(WORKER))
        return sorted(map(claim_of, found), key=lambda claim: (claim.number, claim.worker_id))

    def take_claim(self, claim: Claim, *, instead_of: Claim | None) -> bool:
        if instead_of is None:
            failed = self._table.add(claim_row(claim))
        else:
            failed = self._table.put(
                claim_row(claim),
                # token: nobody else took it over. heartbeat_at: its holder, thought dead, has
                # shown no sign of life since.
                condition="#token = :token AND heartbeat_at = :heartbeat_at",
                seen={"token": instead_of.token, "heartbeat_at": instead_of.heartbeat_at},
            )
        # The write may have taken effect although its answer was lost.
        return failed is None or bool(failed.row and failed.row["token"] == claim.token)

    def renew_claim(self, claim: Claim) -> bool:
        # token holds until somebody else takes the number over.
        seen: Row = {"token": claim.token}
        return not self._table.put(claim_row(claim), condition="#token = :token", seen=seen)

    def release_claim(self, claim: Claim) -> None:
        # token: this claim still holds the number. Otherwise there is nothing to give up.
        seen: Row = {"token": claim.token}
        self._table.delete(_claim_key(claim), condition="#token = :token", seen=seen)


def _claim_key(claim: Claim) -> Row:
    return key(f"{_PARTITION}{claim.worker_id}", f"{claim.number:04d}")


def claim_row(claim: Claim) -> Row:
    """The whole row; the daemon is in it once it was started."""
    row = _claim_key(claim)
    # listed_at never changes: a heartbeat costs no index write.
    listing: Row = {LISTING: WORKER, "listed_at": row["sk"]}
    fields: Row = _CLAIM.dump_python(claim, exclude={"worker_id", "number"}, exclude_none=True)
    return row | listing | fields


@names_its_row
def claim_of(row: Row) -> Claim:
    """The claim that a row holds."""
    worker_id = str(row["pk"]).removeprefix(_PARTITION)
    absent: Row = {"daemon": None}
    return _CLAIM.validate_python(absent | row | {"worker_id": worker_id, "number": row["sk"]})
