"""A corrected order closes the letters with its id once it was answered, and nothing else does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from ledger.memory.ledger import MemoryLedger
from ledger.uploads.dead_letter import DeadLetter, position_of_line
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import LaneTail, Progress, Source, UploadState
from orders.file_reading import ReadingLimits
from orders.formats import SourceUnreadable
from orders.outcome import Outcome
from orders.plain_text import OpenAt
from orders.upload import UploadId
from orders.upload_keys import correcting_name
from orders_cli.corrections import Corrected, Corrections
from orders_cli.local_file import new_key

if TYPE_CHECKING:
    from orders_cli.bucket import UploadBucket

UPLOAD, CORRECTING = UploadId("a" * 20), UploadId("b" * 20)


def order(number: int) -> bytes:
    return (
        b'{"order_id":"A-%d","customer_id":"c","sku":"s","quantity":1,"unit_price":1,'
        b'"currency":"EUR"}\n' % number
    )


@dataclass(slots=True)
class Shop:
    """An upload with the refused orders A-1 to A-3, and one that corrects orders."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    files: dict[str, bytes] = field(default_factory=dict)
    lost: list[UploadId] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger.announce(UPLOAD, Source("bucket", "uploads/a.jsonl", "v", "e", 1), now=1.0)
        for line in (1, 2, 3):
            self.refuse(UPLOAD, line, f"A-{line}", at=2.0)

    def refuse(self, upload: UploadId, line: int, order_id: str, *, at: float) -> None:
        letter = DeadLetter(
            upload, position_of_line(line), 0, line, order_id, b"{}", 422, "no", "", 1, at, at
        )
        self.ledger.put_dead_letter(letter)

    def correct(self, *orders: bytes, at: float = 5.0) -> None:
        key = new_key("uploads/", correcting_name(UPLOAD, "b.jsonl"))
        self.files[key] = b"".join(orders)
        source = Source("bucket", key, "v", "e", len(self.files[key]))
        self.ledger.announce(CORRECTING, source, now=at)

    def settle(self, *outcomes: Outcome, end: bool = True) -> None:
        """Settle the first orders of the correcting upload."""
        count = len(outcomes)
        self.ledger.start_run(CORRECTING, token="run", lanes=1, now=6.0)
        lane = self.ledger.read_lane(LaneKey(CORRECTING, LaneNumber(0)))
        assert lane is not None
        for line, outcome in enumerate(outcomes, 1):
            span = Span(line - 1, line, 1, line, outcome)
            lane = self.ledger.settle(lane, Settlement((span,), ended=end and line == count))
        if end:
            progress = Progress(line=count, enqueued=count, tails=(LaneTail(count, count),))
            self.ledger.finish_reading(
                CORRECTING,
                token="run",
                progress=progress,
                state=UploadState.SENDING,
                reason="",
                now=7.0,
            )

    def opener(self, source: Source) -> OpenAt:
        def open_at(offset: int) -> Iterator[bytes]:
            if source.key not in self.files:
                raise SourceUnreadable("is gone", line=1)
            yield self.files[source.key][offset:]

        return open_at

    def close(self) -> Corrected:
        corrections = Corrections(
            self.ledger,
            cast("UploadBucket", self),
            ReadingLimits(),
            lambda upload, _why: self.lost.append(upload),
        )
        return corrections.close(UPLOAD, by="ann", now=9.0)

    def open_lines(self) -> list[int]:
        return [one.line for one in self.ledger.dead_letters(UPLOAD, limit=9)]


def test_an_accepted_order_closes_the_letter_with_its_id() -> None:
    shop = Shop()
    shop.correct(order(2), order(9))
    shop.settle(Outcome.ACCEPTED, Outcome.ACCEPTED)

    first, again = shop.close(), shop.close()

    assert (first, again) == (Corrected(closed=1), Corrected(closed=0))
    assert shop.open_lines() == [1, 3]
    letter = shop.ledger.read_dead_letter(UPLOAD, position_of_line(2))
    assert letter is not None
    assert letter.closure is not None
    assert (letter.closure.by, letter.closure.corrected_in) == ("ann", CORRECTING)


def test_an_order_that_was_refused_again_leaves_only_the_new_letter() -> None:
    shop = Shop()
    shop.correct(order(1), order(2))
    shop.refuse(CORRECTING, 1, "A-1", at=6.5)
    shop.settle(Outcome.REFUSED, Outcome.ACCEPTED)

    assert shop.close().closed == 2
    assert shop.open_lines() == [3]
    assert [one.line for one in shop.ledger.dead_letters(CORRECTING, limit=9)] == [1]


def test_an_order_that_is_still_to_be_sent_closes_nothing_yet() -> None:
    shop = Shop()
    shop.correct(order(1), order(2))
    unread = shop.close()
    shop.settle(Outcome.ACCEPTED, end=False)

    assert unread == Corrected(0, {"A-1": CORRECTING, "A-2": CORRECTING})
    assert shop.close() == Corrected(1, {"A-2": CORRECTING})
    assert shop.open_lines() == [2, 3]


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.MISSING])
def test_an_order_that_was_never_answered_closes_nothing(outcome: Outcome) -> None:
    shop = Shop()
    shop.correct(order(1))
    if outcome is Outcome.CANCELLED:
        shop.ledger.start_run(CORRECTING, token="run", lanes=1, now=6.0)
        shop.ledger.cancel(CORRECTING, reason="wrong", now=6.0)
    shop.settle(outcome)

    assert shop.close() == Corrected()
    assert shop.open_lines() == [1, 2, 3]


def test_a_line_that_is_no_order_closes_nothing() -> None:
    shop = Shop()
    shop.correct(order(1).replace(b'"quantity":1', b'"quantity":0'), order(2))
    shop.settle(Outcome.ACCEPTED, Outcome.ACCEPTED)

    assert shop.close().closed == 1
    assert shop.open_lines() == [1, 3]


def test_an_upload_that_was_not_let_in_closes_nothing() -> None:
    shop = Shop()
    shop.correct(order(1))
    shop.ledger.start_run(CORRECTING, token="run", lanes=1, now=6.0)
    shop.ledger.finish_reading(
        CORRECTING,
        token="run",
        progress=Progress(),
        state=UploadState.REFUSED_ADMISSION,
        reason="too much",
        now=7.0,
    )

    assert shop.close() == Corrected()


def test_an_order_refused_after_it_was_corrected_stays_open() -> None:
    shop = Shop()
    shop.correct(order(1))
    shop.settle(Outcome.ACCEPTED)
    shop.refuse(UPLOAD, 8, "A-1", at=5.5)

    assert shop.close().closed == 1
    assert shop.open_lines() == [2, 3, 8]


def test_an_upload_whose_file_is_gone_closes_nothing_and_is_named() -> None:
    shop = Shop()
    shop.correct(order(1))
    shop.settle(Outcome.ACCEPTED)
    shop.files.clear()

    assert shop.close() == Corrected()
    assert shop.lost == [CORRECTING]
