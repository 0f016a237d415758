"""Dead letters in DynamoDB."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ledger.dynamodb.conditional import Change
from ledger.dynamodb.row import names_its_row
from ledger.dynamodb.schema import (
    DEAD,
    DEAD_LETTER,
    instant,
    key,
    key_of,
    upload_id_of,
    upload_pk,
)
from ledger.dynamodb.table import BATCH_ITEMS, OnTable
from ledger.uploads.dead_letter import DeadLetter, as_kept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.dynamodb.row import Row
    from orders.upload import UploadId

_LETTER = TypeAdapter(DeadLetter)


class DynamoDeadLetters(OnTable):
    """DeadLetters."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        # Only if there is none: it may be there from before a crash, and redriven since.
        self._table.add(letter_row(as_kept(letter)))

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        row = self._table.get(letter_key(upload, position))
        return letter_of(row) if row else None

    def dead_letters(self, upload: UploadId | None = None, *, limit: int) -> Iterable[DeadLetter]:
        if upload is not None:
            rows = self._table.partition(upload_pk(upload), begins_with=DEAD_LETTER)
            yield from map(letter_of, islice(rows, limit))
            return
        listed = islice(self._table.listed(DEAD), limit)
        while entries := list(islice(listed, BATCH_ITEMS)):  # which hold no bodies
            rows = self._table.get_many(map(key_of, entries))
            found = {(row["pk"], row["sk"]): row for row in rows}
            for entry in entries:
                if row := found.get((entry["pk"], entry["sk"])):
                    yield letter_of(row)

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        return not self._table.write(
            Change(
                letter_key(letter.upload, letter.position),
                {"redriven_as": upload},
                # attribute_exists: the letter is still kept. redriven_as: no other upload sends it
                # again; this one may have been named by a write whose answer was lost.
                "attribute_exists(pk) AND "
                "(attribute_not_exists(redriven_as) OR redriven_as = :redriven_as)",
            )
        )


def letter_key(upload: UploadId, position: str) -> Row:
    """The key of a letter's row."""
    return key(upload_pk(upload), f"{DEAD_LETTER}{position}")


def letter_row(letter: DeadLetter) -> Row:
    """The whole row. A body that is too large to keep is left out."""
    listed_at = f"{instant(letter.refused_at)} {letter.position}"
    fields: Row = _LETTER.dump_python(letter, exclude={"upload", "position"}, exclude_none=True)
    row = letter_key(letter.upload, letter.position)
    return row | {"listing": DEAD, "listed_at": listed_at} | fields


@names_its_row
def letter_of(row: Row) -> DeadLetter:
    """The dead letter that a row holds."""
    position = str(row["sk"]).removeprefix(DEAD_LETTER)
    absent: Row = {"body": None, "status": None}
    named = {"upload": upload_id_of(row), "position": position}
    return _LETTER.validate_python(absent | row | named)
