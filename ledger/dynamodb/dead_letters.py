"""Dead letters in DynamoDB."""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ledger.dynamodb.row import names_its_row
from ledger.dynamodb.schema import (
    CLOSED,
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
    from collections.abc import Iterable, Iterator, Sequence

    from ledger.dynamodb.row import Row
    from orders.upload import UploadId

_LETTER = TypeAdapter(DeadLetter)

GROUP_LETTERS = 99
"""DynamoDB takes 100 items in one transaction, and one of them is another row."""
GROUP_BYTES = 3_000_000
"""It takes 4 MB of items in one transaction."""
LETTER_BYTES = 10_000
"""What a letter may have beside its body."""


class DynamoDeadLetters(OnTable):
    """The part of DeadLetters that keeps and reads them."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        # Only if there is none: it may be there from before a crash, and redriven or closed since.
        self._table.add(letter_row(as_kept(letter)))

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        row = self._table.get(letter_key(upload, position))
        return letter_of(row) if row else None

    def dead_letters(
        self, upload: UploadId | None = None, *, limit: int, with_closed: bool = False
    ) -> Iterable[DeadLetter]:
        letters = self._of_upload(upload) if upload else self._newest_first(with_closed=with_closed)
        # The index may be a moment late, so the rows decide.
        wanted = (one for one in letters if with_closed or not one.closure)
        yield from islice(wanted, limit)

    def _of_upload(self, upload: UploadId) -> Iterator[DeadLetter]:
        return map(letter_of, self._table.partition(upload_pk(upload), begins_with=DEAD_LETTER))

    def _newest_first(self, *, with_closed: bool) -> Iterator[DeadLetter]:
        listings = (DEAD, CLOSED) if with_closed else (DEAD,)
        listed = merge(
            *map(self._table.listed, listings),
            key=lambda entry: str(entry["listed_at"]),
            reverse=True,
        )
        while entries := list(islice(listed, BATCH_ITEMS)):  # which hold no bodies
            rows = self._table.get_many(map(key_of, entries))
            found = {(row["pk"], row["sk"]): row for row in rows}
            for entry in entries:
                if row := found.get((entry["pk"], entry["sk"])):
                    yield letter_of(row)


def letter_key(upload: UploadId, position: str) -> Row:
    """The key of a letter's row."""
    return key(upload_pk(upload), f"{DEAD_LETTER}{position}")


def letter_row(letter: DeadLetter) -> Row:
    """The whole row. A body that is too large to keep is left out."""
    listed_at = f"{instant(letter.refused_at)} {letter.position}"
    fields: Row = _LETTER.dump_python(letter, exclude={"upload", "position"}, exclude_none=True)
    row = letter_key(letter.upload, letter.position)
    return row | {"listing": CLOSED if letter.closure else DEAD, "listed_at": listed_at} | fields


@names_its_row
def letter_of(row: Row) -> DeadLetter:
    """The dead letter that a row holds."""
    position = str(row["sk"]).removeprefix(DEAD_LETTER)
    absent: Row = {"body": None, "status": None}
    named = {"upload": upload_id_of(row), "position": position}
    return _LETTER.validate_python(absent | row | named)


def letter_groups(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """The letters in groups that fit into one transaction, beside one other row."""
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
