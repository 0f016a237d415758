"""Dead letters that need nobody any more, and their number in the upload's row."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ledger.contention import Contention
from ledger.dynamodb.conditional import Change
from ledger.dynamodb.dead_letters import DynamoDeadLetters, letter_groups, letter_key, letter_of
from ledger.dynamodb.schema import CLOSED
from ledger.dynamodb.upload_row import (
    LETTERS_CLOSED_AS_SEEN,
    changed_fields,
    upload_key,
    upload_of,
)
from ledger.uploads.dead_letter import is_closable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from ledger.dynamodb.row import Row
    from ledger.uploads.dead_letter import Closure, DeadLetter
    from orders.upload import UploadId

_IS_OPEN = "attribute_exists(pk) AND attribute_not_exists(redriven_as) AND "
_NOT_CLOSED = "attribute_not_exists(closure)"


class DynamoLetterClosing(DynamoDeadLetters):
    """DeadLetters. A letter and its upload's count change in one transaction: both or none."""

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        contention = Contention(f"a change of line {letter.line} of upload {letter.upload}")
        # pk: the letter is still kept. redriven_as: no upload sends it again yet. closure: nobody
        # closed it.
        mark = _IS_OPEN + _NOT_CLOSED
        while not self._write([letter], {"redriven_as": upload}, mark):
            kept = self.read_dead_letter(letter.upload, letter.position)
            if kept is None or not kept.is_open:
                # This upload may have been named by a write whose answer was lost.
                return kept is not None and kept.redriven_as == upload
            contention.lost()
        return True

    def close_letters(self, letters: Sequence[DeadLetter], closure: Closure) -> int:
        return sum(self._close_group(group, closure) for group in letter_groups(letters))

    def _close_group(self, letters: Sequence[DeadLetter], closure: Closure) -> int:
        contention = Contention(f"closing dead letters of upload {letters[0].upload}")
        fields: Row = {name: it for name, it in asdict(closure).items() if it is not None}
        changes: Row = {"closure": fields, "listing": CLOSED}
        # redrive_key: no redrive has claimed it; the rest as above.
        condition = f"{_IS_OPEN}attribute_not_exists(redrive_key) AND {_NOT_CLOSED}"
        closed = 0
        while letters:
            if self._write(letters, changes, condition):
                return closed + len(letters)
            keys = [letter_key(letter.upload, letter.position) for letter in letters]
            kept = [letter_of(row) for row in self._table.get_many(keys)]
            # The answer to this very write may have been lost.
            closed += sum(one.closure == closure for one in kept)
            letters = [one for one in kept if is_closable(one)]
            contention.lost()
        return closed

    def _write(self, letters: Sequence[DeadLetter], changes: Row, condition: str) -> bool:
        """Change all the letters, which are of one upload, and count them; or none."""
        return self._table.transact(
            [*self._updates(letters, changes, condition), *self._count(letters)]
        )

    def _updates(
        self, letters: Sequence[DeadLetter], changes: Row, condition: str
    ) -> Iterator[TransactWriteItemTypeDef]:
        for letter in letters:
            change = Change(letter_key(letter.upload, letter.position), changes, condition)
            yield {"Update": change.request(self._table.name)}

    def _count(self, letters: Sequence[DeadLetter]) -> Iterator[TransactWriteItemTypeDef]:
        """Nothing where the upload has no row: it expired, or they are no orders of an upload."""
        row = self._table.get(upload_key(letters[0].upload))
        if row is None:
            return
        old = upload_of(row)
        new = replace(old, letters_closed=old.letters_closed + len(letters))
        change = Change(
            upload_key(old.id),
            changed_fields(old, new),
            # listing: the upload has not ended since; its end copies the count for lists.
            f"listing = :seen_listing AND {LETTERS_CLOSED_AS_SEEN}",
            {"seen_listing": row["listing"], "seen_closed": old.letters_closed},
        )
        yield {"Update": change.request(self._table.name)}
