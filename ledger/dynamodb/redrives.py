"""Redrives in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.contention import Contention
from ledger.dynamodb.conditional import Change
from ledger.dynamodb.dead_letters import letter_groups, letter_key, letter_of
from ledger.dynamodb.row import names_its_row, to_item
from ledger.dynamodb.schema import DEAD, REDRIVE, instant, key, upload_id_of, upload_pk
from ledger.dynamodb.table import OnTable
from ledger.uploads.dead_letter import UNREADABLE
from ledger.uploads.redrive import Redrive, is_claimable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from ledger.dynamodb.row import Row
    from ledger.uploads.dead_letter import DeadLetter
    from orders.upload import UploadId


class DynamoRedrives(OnTable):
    """Redrives."""

    def begin_redrive(self, upload: UploadId, *, key: str, now: float) -> Redrive:
        begun = Redrive(upload, key)
        # The first one begins it; the others take the one that exists.
        failed = self._table.add(redrive_row(begun, now=now))
        return redrive_of(failed.row) if failed and failed.row else begun

    def claim_letters(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        """See Redrives.claim_letters.

        | this one                   | another one               | the redrive             |
        |----------------------------|---------------------------|-------------------------|
        | lists letters 1 and 2      | seals, stores 1           | sealed                  |
        | claims 1 and 2 if not      |                           | 2 is free for the next  |
        | sealed: refused            |                           | redrive                 |
        """
        return all(self._claim(redrive, group) for group in letter_groups(letters))

    def seal_redrive(self, redrive: Redrive) -> bool:
        # redrive_key: this redrive is still the one under way.
        seen: Row = {"key": redrive.key}
        seal = Change(_redrive_key(redrive.upload), {"is_sealed": True}, "redrive_key = :key", seen)
        return not self._table.write(seal)

    def end_redrive(self, redrive: Redrive) -> None:
        # redrive_key: it is this one. Where there is another one, or none, it has ended before.
        self._table.delete(
            _redrive_key(redrive.upload), condition="redrive_key = :key", seen={"key": redrive.key}
        )

    def redrivable_uploads(self) -> Collection[UploadId]:
        letters = (entry for entry in self._table.listed(DEAD) if "redriven_as" not in entry)
        found = {*map(upload_id_of, letters), *map(upload_id_of, self._table.listed(REDRIVE))}
        return found - {UNREADABLE}

    def _claim(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        """Claim a group that fits into one transaction."""
        contention = Contention(f"a claim of dead letters of upload {redrive.upload}")
        while True:
            if self._table.transact([self._if_claiming(redrive), *self._claims(redrive, letters)]):
                return True
            # The redrive was sealed or has ended, a letter is another redrive's, or somebody
            # claimed one of them for this redrive at the same moment.
            row = self._table.get(_redrive_key(redrive.upload))
            if row is None or redrive_of(row) != Redrive(redrive.upload, redrive.key):
                return False
            keys = [letter_key(letter.upload, letter.position) for letter in letters]
            kept = map(letter_of, self._table.get_many(keys))
            letters = [one for one in kept if is_claimable(one, redrive) and not one.redrive_key]
            if not letters:
                return True
            contention.lost()

    def _if_claiming(self, redrive: Redrive) -> TransactWriteItemTypeDef:
        return {
            "ConditionCheck": {
                "TableName": self._table.name,
                "Key": to_item(_redrive_key(redrive.upload)),
                # redrive_key: this redrive is still the one under way. is_sealed: its file was not
                # made of the letters yet.
                "ConditionExpression": "redrive_key = :key AND is_sealed = :no",
                "ExpressionAttributeValues": to_item({":key": redrive.key, ":no": False}),
            }
        }

    def _claims(
        self, redrive: Redrive, letters: Sequence[DeadLetter]
    ) -> Iterator[TransactWriteItemTypeDef]:
        for letter in letters:
            claim = Change(
                letter_key(letter.upload, letter.position),
                {"redrive_key": redrive.key},
                # attribute_exists: the letter is kept. redriven_as: nothing sends it again.
                # closure: nobody dismissed or corrected it.
                # redrive_key: no other redrive has it; this one may, by a write whose answer was
                # lost or by somebody else at the same redrive.
                "attribute_exists(pk) AND attribute_not_exists(redriven_as) AND "
                "attribute_not_exists(closure) AND "
                "(attribute_not_exists(redrive_key) OR redrive_key = :redrive_key)",
            )
            yield {"Update": claim.request(self._table.name)}


def _redrive_key(upload: UploadId) -> Row:
    return key(upload_pk(upload), REDRIVE)


def redrive_row(redrive: Redrive, *, now: float) -> Row:
    """The whole row."""
    return _redrive_key(redrive.upload) | {
        "listing": REDRIVE,
        "listed_at": instant(now),
        "redrive_key": redrive.key,
        "is_sealed": redrive.is_sealed,
    }


@names_its_row
def redrive_of(row: Row) -> Redrive:
    """The redrive that a row holds."""
    return Redrive(upload_id_of(row), str(row["redrive_key"]), bool(row["is_sealed"]))
