from ledger.ports import pace_steps as steps
from ledger.ports.pace import Override, Pause
from ledger.ports.pace_change import change
from orders.outcome import Outcome
from orders_cli.following import Step, exit_code_of
from orders_cli.intake import IntakeDeadLetter
from orders_cli.looking import look
from orders_cli.rendering import account_lines, status_lines, trouble_lines, upload_row
from tests.unit.orders_cli.ledgers import FIRST, NOW, Book


def paced(book: Book, rate: str = "1/s") -> Book:
    value = Override(rate, "me", "test", None)
    change(book.ledger, lambda pace: steps.override(pace, value, now=NOW))
    return book


def sending(enqueued: int = 1_000, accepted: int = 400) -> Book:
    book = Book()
    book.announce()
    book.read(enqueued=enqueued)
    book.settle(first=1, count=accepted, outcome=Outcome.ACCEPTED)
    return paced(book)


def text(book: Book) -> str:
    return "\n".join(status_lines(look(book.ledger, retention_hours=24, now=NOW + 400), []))


def step(book: Book) -> Step:
    seen = look(book.ledger, retention_hours=24, now=NOW + 400)
    account = book.ledger.read_account(FIRST)
    assert account is not None
    return Step(account, seen.report)


def test_the_status_says_what_waits_and_until_when() -> None:
    said = text(sending())

    assert "running" in said
    assert "1/s (override)" in said
    assert "600 orders, for 10 min 0 s, until " in said
    assert "leaves the stream in 23.9 h" in said


def test_a_pause_is_said_with_its_reason() -> None:
    book = sending()
    pause = Pause("me", "their database moves", since=NOW, until=None)
    change(book.ledger, lambda pace: steps.pause(pace, pause))

    said = text(book)

    assert "paused: paused by me: their database moves" in said
    assert "nobody can say until when" in said


def test_an_empty_ledger_has_nothing_waiting() -> None:
    assert "waiting   nothing" in text(paced(Book()))


def test_a_pace_without_limit_is_none() -> None:
    assert "none (override)" in text(paced(Book(), "none"))


def test_an_upload_is_one_row_and_all_of_it_some_lines() -> None:
    account = step(sending()).account

    assert upload_row(account)[:2] == (FIRST, "sending")
    assert upload_row(account)[-2] == "600"
    assert ("waiting", "600") in account_lines(account)


def test_trouble_names_the_upload_and_the_reason() -> None:
    letter = IntakeDeadLetter(None, "uploads/x.jsonl", "it failed")

    assert trouble_lines([], [letter]) == ["uploads/x.jsonl  it failed"]


def test_who_waits_hears_how_far_it_is() -> None:
    book = Book()
    book.announce()
    assert step(book).sentence == "reading: 0 lines"

    book = sending()
    assert step(book).sentence == ("sending: 400 of 1,000 settled; everything done in 10 min 0 s")
    assert not step(book).is_over


def test_who_waits_hears_what_stands_in_the_way() -> None:
    book = sending()
    change(book.ledger, lambda pace: steps.pause(pace, Pause("me", "why", NOW, None)))

    assert "paused: paused by me: why" in step(book).sentence


def test_the_exit_code_tells_how_an_upload_ended() -> None:
    good, bad = Book(), Book()
    for book, outcome in ((good, Outcome.ACCEPTED), (bad, Outcome.REFUSED)):
        book.announce()
        book.read(enqueued=1)
        book.settle(first=1, count=1, outcome=outcome)
        book.end()

    assert step(good).is_over
    assert exit_code_of(step(good).account) == 0
    assert exit_code_of(step(bad).account) == 3
