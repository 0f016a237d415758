from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import LaneTail, Progress, UploadState
from orders.outcome import Outcome
from orders_cli.failures import UsageWrong
from orders_cli.set_aside import check_can_set_aside
from tests.unit.orders_cli.ledgers import FIRST, NOW, Book


def why_not(book: Book, line: int | None) -> str:
    account = book.ledger.read_account(FIRST)
    assert account is not None
    try:
        check_can_set_aside(account, line, book.ledger)
    except UsageWrong as error:
        return str(error)
    return ""


def read_into_two_lanes(book: Book) -> None:
    """Lines 1 and 2 are in the first lane, line 3 is in the second."""
    tails = (LaneTail(2, 2), LaneTail(3, 1))
    book.ledger.start_run(FIRST, token="run", lanes=2, now=NOW)
    book.ledger.finish_reading(
        FIRST,
        token="run",
        progress=Progress(line=3, enqueued=3, tails=tails),
        state=UploadState.SENDING,
        reason="",
        now=NOW,
    )


def settle_lane(book: Book, number: int, *, line: int, count: int, ended: bool = False) -> None:
    lane = book.ledger.read_lane(LaneKey(FIRST, LaneNumber(number)))
    assert lane is not None
    span = Span(prev=0, line=line, count=count, first_ordinal=1, outcome=Outcome.ACCEPTED)
    book.ledger.settle(lane, Settlement(spans=(span,), ended=ended))


def test_an_order_that_waits_may_be_set_aside() -> None:
    book = Book()
    book.announce()
    book.read(enqueued=3)

    assert [why_not(book, line) for line in (None, 1, 3)] == ["", "", ""]


def test_a_line_may_be_named_before_it_is_read() -> None:
    book = Book()
    book.announce()

    assert why_not(book, 7) == ""


def test_a_line_after_the_last_one_is_none() -> None:
    book = Book()
    book.announce()
    book.read(enqueued=3)

    assert why_not(book, 4).endswith("has no line 4: its reading ended after 3 lines.")


def test_a_line_that_one_lane_may_still_hold_is_not_called_settled() -> None:
    book = Book()
    book.announce()
    read_into_two_lanes(book)
    settle_lane(book, 0, line=2, count=2)

    assert [why_not(book, line) for line in (1, 2, 3)] == ["", "", ""]


def test_a_line_that_every_lane_has_passed_is_settled() -> None:
    book = Book()
    book.announce()
    read_into_two_lanes(book)
    settle_lane(book, 1, line=3, count=1)
    settle_lane(book, 0, line=1, count=1)

    assert "settled already" in why_not(book, 1)
    assert why_not(book, 2) == ""


def test_a_lane_that_ended_has_passed_every_line() -> None:
    book = Book()
    book.announce()
    read_into_two_lanes(book)
    settle_lane(book, 0, line=1, count=1)
    settle_lane(book, 1, line=3, count=1)
    before = why_not(book, 2)

    settle_lane(book, 0, line=2, count=2, ended=True)

    assert before == ""
    assert "settled already" in why_not(book, 2)


def test_an_end_before_the_tail_of_its_lane_has_passed_nothing_behind_it() -> None:
    book = Book()
    book.announce()
    read_into_two_lanes(book)
    settle_lane(book, 0, line=1, count=1, ended=True)
    settle_lane(book, 1, line=3, count=1, ended=True)

    assert why_not(book, 2) == ""


def test_an_upload_that_ended_has_nothing_to_set_aside() -> None:
    book = Book()
    book.announce()
    book.read(enqueued=1)
    book.settle(first=1, count=1, outcome=Outcome.ACCEPTED)
    book.end()

    assert [why_not(book, line).split(" (")[1] for line in (None, 1)] == [
        "done): nothing of it is waiting.",
        "done): nothing of it is waiting.",
    ]
