"""How are redrives kept in DynamoDB?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.contention import Contention
from ledger.dynamodb.dead_letters import letter_key, letter_of
from ledger.dynamodb.readable import names_its_row
from ledger.dynamodb.schema import (
    DEAD,
    REDRIVE,
    flag,
    instant,
    is_set,
    key,
    s,
    text,
    upload_of_pk,
    upload_pk,
)
from ledger.dynamodb.table import Change, ConditionFailed, OnTable
from ledger.uploads.dead_letter import UNREADABLE
from ledger.uploads.redrive import Redrive, is_claimable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from ledger.dynamodb.schema import Item
    from ledger.uploads.dead_letter import DeadLetter
    from orders.upload import UploadId

GROUP_LETTERS = 99
"""DynamoDB takes 100 items in one transaction, and one of them is the redrive."""
GROUP_BYTES = 3_000_000
"""It takes 4 MB of items in one transaction."""
LETTER_BYTES = 10_000
"""What a letter may have beside its body."""


class DynamoRedrives(OnTable):
    """Redrives."""

    def begin_redrive(self, upload: UploadId, *, key: str, now: float) -> Redrive:
        """See Redrives.begin_redrive."""
        begun = Redrive(upload, key)
        # attribute_not_exists holds for the first; the others take the redrive that stands there.
        failed = self._table.put(redrive_item(begun, now=now), condition="attribute_not_exists(pk)")
        return redrive_of(failed.item) if failed and failed.item else begun

    def claim_letters(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        """See Redrives.claim_letters.

        | this one                   | another one               | what stands             |
        |----------------------------|---------------------------|-------------------------|
        | lists letters 1 and 2      | seals, stores 1           | sealed                  |
        | claims 1 and 2 if not      |                           | 2 is free for the next  |
        | sealed: refused            |                           | redrive                 |
        """
        return all(self._claim(redrive, group) for group in _groups(letters))

    def seal_redrive(self, redrive: Redrive) -> bool:
        """See Redrives.seal_redrive."""
        # redrive_key: it is still this redrive that is under way.
        seal = Change(
            _redrive_key(redrive.upload),
            {"is_sealed": flag(value=True)},
            "redrive_key = :redrive_key",
            seen={":redrive_key": s(redrive.key)},
        )
        return not isinstance(self._table.change(seal), ConditionFailed)

    def end_redrive(self, redrive: Redrive) -> None:
        """See Redrives.end_redrive."""
        # redrive_key: it is this one. Where another one stands, or none, it has ended before.
        self._table.delete(
            _redrive_key(redrive.upload),
            condition="redrive_key = :redrive_key",
            seen={":redrive_key": s(redrive.key)},
        )

    def redrivable_uploads(self) -> Collection[UploadId]:
        """See Redrives.redrivable_uploads."""
        found = {
            upload_of_pk(text(entry, "pk"))
            for entry in self._table.listed(DEAD)
            if "redriven_as" not in entry
        }
        begun = {upload_of_pk(text(entry, "pk")) for entry in self._table.listed(REDRIVE)}
        return (found | begun) - {UNREADABLE}

    def _claim(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        """Claim a group that fits into one transaction."""
        contention = Contention(f"a claim of dead letters of upload {redrive.upload}")
        while True:
            if self._table.transact([self._if_claiming(redrive), *self._claims(redrive, letters)]):
                return True
            # The redrive was sealed or has ended, a letter is another redrive's, or somebody
            # claimed one of them for this redrive at the same moment.
            item = self._table.get(_redrive_key(redrive.upload))
            if item is None or redrive_of(item) != Redrive(redrive.upload, redrive.key):
                return False
            keys = [letter_key(letter.upload, letter.position) for letter in letters]
            kept = [letter_of(found) for found in self._table.get_many(keys)]
            letters = [one for one in kept if is_claimable(one, redrive) and not one.redrive_key]
            if not letters:
                return True
            contention.lost()

    def _if_claiming(self, redrive: Redrive) -> TransactWriteItemTypeDef:
        return {
            "ConditionCheck": {
                "TableName": self._table.name,
                "Key": _redrive_key(redrive.upload),
                # redrive_key: it is still this redrive that is under way. is_sealed: its file
                # was not made of the letters yet.
                "ConditionExpression": "redrive_key = :redrive_key AND is_sealed = :no",
                "ExpressionAttributeValues": {
                    ":redrive_key": s(redrive.key),
                    ":no": flag(value=False),
                },
            }
        }

    def _claims(
        self, redrive: Redrive, letters: Sequence[DeadLetter]
    ) -> Iterator[TransactWriteItemTypeDef]:
        for letter in letters:
            yield {
                "Update": {
                    "TableName": self._table.name,
                    "Key": letter_key(letter.upload, letter.position),
                    "UpdateExpression": "SET redrive_key = :redrive_key",
                    # attribute_exists: the letter is kept. redriven_as: nothing sends it again.
                    # redrive_key: no other redrive has it; this one may, by a write whose answer
                    # was lost or by somebody else at the same redrive.
                    "ConditionExpression": "attribute_exists(pk) "
                    "AND attribute_not_exists(redriven_as) AND "
                    "(attribute_not_exists(redrive_key) OR redrive_key = :redrive_key)",
                    "ExpressionAttributeValues": {":redrive_key": s(redrive.key)},
                }
            }


def _groups(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """The letters in groups that fit into one transaction."""
    group: list[DeadLetter] = []
    group_bytes = 0
    for letter in letters:
        letter_bytes = LETTER_BYTES + len(letter.body or b"")
        if len(group) == GROUP_LETTERS or (group and group_bytes + letter_bytes > GROUP_BYTES):
            yield group
            group, group_bytes = [], 0
        group.append(letter)
        group_bytes += letter_bytes
    if group:
        yield group


def _redrive_key(upload: UploadId) -> Item:
    return key(upload_pk(upload), REDRIVE)


def redrive_item(redrive: Redrive, *, now: float) -> Item:
    """The whole item."""
    return _redrive_key(redrive.upload) | {
        "listing": s(REDRIVE),
        "listed_at": s(instant(now)),
        "redrive_key": s(redrive.key),
        "is_sealed": flag(redrive.is_sealed),
    }


@names_its_row
def redrive_of(item: Item) -> Redrive:
    """The redrive that an item holds."""
    return Redrive(
        upload_of_pk(text(item, "pk")), text(item, "redrive_key"), is_set(item, "is_sealed")
    )
