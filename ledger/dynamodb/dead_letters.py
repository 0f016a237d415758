"""How are dead letters kept in DynamoDB?"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ledger.dynamodb.readable import names_its_row
from ledger.dynamodb.schema import (
    DEAD,
    DEAD_LETTER,
    instant,
    key,
    n,
    s,
    seconds,
    text,
    upload_of_pk,
    upload_pk,
    whole,
)
from ledger.dynamodb.table import BATCH_ITEMS, Change, ConditionFailed, OnTable
from ledger.uploads.dead_letter import DeadLetter, as_kept
from orders.upload import UploadId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.dynamodb.schema import Item


class DynamoDeadLetters(OnTable):
    """DeadLetters."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        """See DeadLetters.put_dead_letter."""
        # attribute_not_exists: the letter may stand there from before a crash, and may have been
        # redriven since.
        self._table.put(letter_item(as_kept(letter)), condition="attribute_not_exists(pk)")

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        """See DeadLetters.read_dead_letter."""
        item = self._table.get(letter_key(upload, position))
        return letter_of(item) if item else None

    def dead_letters(self, upload: UploadId | None = None, *, limit: int) -> Iterable[DeadLetter]:
        """See DeadLetters.dead_letters."""
        if upload is not None:
            items = self._table.partition(upload_pk(upload), begins_with=DEAD_LETTER)
            yield from (letter_of(item) for item in islice(items, limit))
            return
        listed = islice(self._table.listed(DEAD), limit)
        while entries := list(islice(listed, BATCH_ITEMS)):
            yield from self._letters_together(entries)

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        """See DeadLetters.mark_redriven."""
        written = self._table.change(
            Change(
                key=letter_key(letter.upload, letter.position),
                attributes={"redriven_as": s(upload)},
                # attribute_exists: the letter is still kept. redriven_as: no other upload sends it
                # again; this one may have been named by a write whose answer was lost.
                condition="attribute_exists(pk) AND "
                "(attribute_not_exists(redriven_as) OR redriven_as = :redriven_as)",
            )
        )
        return not isinstance(written, ConditionFailed)

    def _letters_together(self, entries: Iterable[Item]) -> Iterator[DeadLetter]:
        """The letters of entries of the index, in their order; the index keeps no bodies."""
        keys = [{"pk": entry["pk"], "sk": entry["sk"]} for entry in entries]
        found = {(text(item, "pk"), text(item, "sk")): item for item in self._table.get_many(keys)}
        for wanted in keys:
            item = found.get((text(wanted, "pk"), text(wanted, "sk")))
            if item:
                yield letter_of(item)


def letter_key(upload: UploadId, position: str) -> Item:
    """The key of a letter's row."""
    return key(upload_pk(upload), f"{DEAD_LETTER}{position}")


def letter_item(letter: DeadLetter) -> Item:
    """The whole item. A body that is too large to keep is left out."""
    item = letter_key(letter.upload, letter.position) | {
        "listing": s(DEAD),
        "listed_at": s(f"{instant(letter.refused_at)} {letter.position}"),
        "lane": n(letter.lane),
        "line": n(letter.line),
        "order_id": s(letter.order_id),
        "reason": s(letter.reason),
        "answer": s(letter.answer),
        "attempts": n(letter.attempts),
        "first_attempt_at": n(letter.first_attempt_at),
        "refused_at": n(letter.refused_at),
    }
    if letter.body is not None:
        item["body"] = {"B": letter.body}
    if letter.status is not None:
        item["status"] = n(letter.status)
    if letter.redriven_as is not None:
        item["redriven_as"] = s(letter.redriven_as)
    if letter.redrive_key is not None:
        item["redrive_key"] = s(letter.redrive_key)
    return item


@names_its_row
def letter_of(item: Item) -> DeadLetter:
    """The dead letter that an item holds."""
    redriven_as = text(item, "redriven_as")
    body = item.get("body")
    return DeadLetter(
        upload=upload_of_pk(text(item, "pk")),
        position=text(item, "sk").removeprefix(DEAD_LETTER),
        lane=whole(item, "lane"),
        line=whole(item, "line"),
        order_id=text(item, "order_id"),
        body=bytes(body["B"]) if body else None,
        status=whole(item, "status") if "status" in item else None,
        reason=text(item, "reason"),
        answer=text(item, "answer"),
        attempts=whole(item, "attempts"),
        first_attempt_at=seconds(item, "first_attempt_at") or 0.0,
        refused_at=seconds(item, "refused_at") or 0.0,
        redriven_as=UploadId(redriven_as) if redriven_as else None,
        redrive_key=text(item, "redrive_key") or None,
    )
