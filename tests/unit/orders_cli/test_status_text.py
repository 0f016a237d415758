from dataclasses import replace

from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.history import History, Sample
from ledger.pace.pace import Override, Pace, Pause
from ledger.report import pace_of
from ledger.uploads.id_repeats import IdRepeats
from ledger.uploads.upload import Account
from orders.outcome import Outcome
from orders_cli.intake_dead_letters import IntakeDeadLetter
from orders_cli.overview import read_overview
from orders_cli.quantities import moment
from orders_cli.status_text import (
    account_lines,
    pace_sentence,
    status_lines,
    trouble_lines,
    upload_cells,
)
from orders_cli.upload_watch import exit_code_of, progress_sentence
from tests.support.stores import claim
from tests.unit.orders_cli.ledgers import FIRST, NOW, SECOND, Book


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
    return "\n".join(
        status_lines(read_overview(book.ledger, retention_hours=24, now=NOW + 400), [])
    )


def account_of(book: Book) -> Account:
    account = book.ledger.read_account(FIRST)
    assert account is not None
    return account


def progress(book: Book) -> str:
    seen = read_overview(book.ledger, retention_hours=24, now=NOW + 400)
    return progress_sentence(account_of(book), seen.report)


def test_the_status_says_what_waits_and_until_when() -> None:
    said = text(sending())

    assert "running" in said
    assert "1/s (override by me until `orders pace default`: test)" in said
    assert "600 orders, for 10 min 0 s, until " in said
    assert "leaves the stream in 23.9 h" in said


def test_a_pause_is_shown_with_its_reason() -> None:
    book = sending()
    pause = Pause("me", "their database moves", since=NOW, until=None)
    change(book.ledger, lambda pace: steps.pause(pace, pause))

    said = text(book)

    assert "paused by me: their database moves; since " in said
    assert "(6 min 40 s), until `orders resume`" in said
    assert "the finish date is unknown" in said


def test_an_empty_ledger_has_nothing_waiting() -> None:
    assert "waiting   nothing" in text(paced(Book()))


def test_a_pace_without_limit_is_none() -> None:
    assert "none (override by me" in text(paced(Book(), "none"))


def test_an_override_with_an_end_is_shown_with_it() -> None:
    value = Override("2/s", "ann", "", until=NOW + 3_600)

    said = pace_sentence(pace_of(steps.override(Pace(), value, now=NOW), NOW))

    assert said == f"2/s (override by ann until {moment(NOW + 3_600)})"


def test_without_a_worker_it_says_stopped_since_when_and_what_to_do() -> None:
    dead = claim("a", heartbeat_at=NOW + 200)
    seen = read_overview(sending().ledger, retention_hours=24, now=NOW + 400, claims=(dead,))

    said = "\n".join(status_lines(seen, []))

    assert "stopped: worker number 1 (process 100 on host-a) shows no sign of life" in said
    assert f"since {moment(NOW + 200)} (3 min 20 s)" in said
    assert "600 orders; the finish date is unknown" in said


def test_a_pace_that_is_not_reached_is_warned_of_and_gives_the_finish_date() -> None:
    book = paced(sending(), "5/s")
    samples = tuple(Sample(NOW + at, at, 2_000, 5.0) for at in range(0, 400, 10))
    assert book.ledger.swap_history(History(), History(samples))

    said = text(book)

    assert "600 orders, for 10 min 0 s, until " in said
    assert ", at the 1/s achieved" in said
    assert "1/s over the last 1 min 0 s" in said
    assert "only 1/s of the 5/s is achieved (20%)" in said
    assert "PaceBelowTarget" in said


def test_what_is_still_to_be_read_is_shown() -> None:
    book = Book()
    book.announce()
    assert "nothing yet, and an upload of unknown size is still to be read" in text(paced(book))

    book.ledger.start_run(FIRST, token="run", lanes=1, now=NOW)
    book.ledger.write_estimate(FIRST, token="run", estimate=600, now=NOW)

    said = text(book)

    assert "nothing yet, and about 600 orders still to be read, for about 10 min 0 s" in said


def test_a_cancelled_upload_is_cancelling_until_its_rest_is_settled() -> None:
    book = sending()
    book.ledger.cancel(FIRST, reason="wrong prices", now=NOW)

    assert upload_cells(account_of(book))[1] == "cancelling"
    assert ("state", "cancelling") in account_lines(account_of(book))
    assert "waiting   nothing; besides, 600 orders still to settle as cancelled" in text(book)

    book.settle(first=401, count=600, outcome=Outcome.CANCELLED)
    book.end()

    assert upload_cells(account_of(book))[1] == "cancelled"
    assert "cancel" not in text(book)


def test_an_upload_is_one_row_and_all_of_it_some_lines() -> None:
    account = account_of(sending())

    assert upload_cells(account)[:2] == (FIRST, "sending")
    assert upload_cells(account)[-2] == "600"
    assert ("waiting", "600") in account_lines(account)


def test_trouble_names_the_upload_and_the_reason() -> None:
    letter = IntakeDeadLetter(None, "uploads/x.jsonl", "it failed")

    assert trouble_lines([], [letter]) == ["uploads/x.jsonl  it failed"]


def test_an_upload_of_the_same_bytes_is_named_until_it_ends() -> None:
    book = Book()
    book.announce()
    book.ledger.start_run(FIRST, token="run", lanes=1, now=NOW)
    book.ledger.write_estimate(FIRST, token="run", estimate=1, now=NOW, duplicate_of=SECOND)
    account = book.ledger.read_account(FIRST)
    assert account is not None
    ended = replace(account, upload=replace(account.upload, listed_open=False))

    [line] = trouble_lines([account], [])

    assert line.startswith(f"{FIRST}  is the same file as upload {SECOND}, ")
    assert trouble_lines([ended], []) == []
    assert ("the same as", SECOND) in account_lines(ended)


def test_repeated_ids_are_told_until_the_upload_is_sent_and_in_its_account_for_good() -> None:
    book = Book()
    book.announce()
    book.ledger.start_run(FIRST, token="run", lanes=1, now=NOW)
    found = IdRepeats(in_file=1, sent_before=1_200, sent_by=(SECOND,), is_partial=True)
    book.ledger.note_id_repeats(FIRST, token="run", repeats=found, now=NOW)
    account = book.ledger.read_account(FIRST)
    assert account is not None
    ended = replace(account, upload=replace(account.upload, listed_open=False))
    told = [
        "1 order with an id of an earlier line",
        f"1,200 order ids also in upload {SECOND}",
        "not compared with all uploads, for lack of time",
    ]

    lines = trouble_lines([account], [])

    assert lines == [f"{FIRST}  {clause}" for clause in told]
    assert trouble_lines([ended], []) == []
    assert ("order ids", "; ".join(told)) in account_lines(ended)


def test_progress_says_how_far_an_upload_is() -> None:
    book = Book()
    book.announce()
    assert progress(book) == "reading: 0 lines"

    book = sending()
    assert progress(book) == ("sending: 400 of 1,000 settled; everything done in 10 min 0 s")
    assert account_of(book).upload.listed_open


def test_progress_says_what_stands_in_the_way() -> None:
    book = sending()
    change(book.ledger, lambda pace: steps.pause(pace, Pause("me", "why", NOW, None)))

    assert "; paused by me: why; since " in progress(book)


def test_the_exit_code_tells_how_an_upload_ended() -> None:
    good, bad = Book(), Book()
    for book, outcome in ((good, Outcome.ACCEPTED), (bad, Outcome.REFUSED)):
        book.announce()
        book.read(enqueued=1)
        book.settle(first=1, count=1, outcome=outcome)
        book.end()

    assert not account_of(good).upload.listed_open
    assert exit_code_of(account_of(good)) == 0
    assert exit_code_of(account_of(bad)) == 3
