"""What every ledger promises about dead letters."""

from dataclasses import replace

import pytest

from ledger.uploads.dead_letter import (
    BODY_BYTES_MAX,
    ORDER_ID_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    UNREADABLE,
    Closure,
    DeadLetter,
)
from orders.outcome import Outcome
from orders.upload import UploadId
from tests.support.stores import (
    OTHER_UPLOAD,
    UPLOAD,
    Ledger,
    Store,
    begin,
    finish,
    lane_of,
    letter,
    orders,
    told,
)


def test_a_dead_letter_is_read_as_it_was_written(store: Store) -> None:
    kept = letter(7)

    store.ledger.put_dead_letter(kept)

    assert store.another().read_dead_letter(UPLOAD, kept.position) == kept


def test_a_letter_without_status_or_body_is_read_without(ledger: Ledger) -> None:
    kept = replace(letter(7), status=None, body=None, answer="")

    ledger.put_dead_letter(kept)

    assert ledger.read_dead_letter(UPLOAD, kept.position) == kept


def test_there_is_no_letter_of_an_order_that_was_not_refused(ledger: Ledger) -> None:
    assert ledger.read_dead_letter(UPLOAD, letter(7).position) is None
    assert list(ledger.dead_letters(UPLOAD, limit=10)) == []
    assert list(ledger.dead_letters(limit=10)) == []


def test_the_same_letter_again_changes_nothing_that_was_added_since(store: Store) -> None:
    store.ledger.put_dead_letter(letter(7))
    store.ledger.mark_redriven(letter(7), upload=OTHER_UPLOAD)

    store.another().put_dead_letter(letter(7))

    kept = store.ledger.read_dead_letter(UPLOAD, letter(7).position)
    assert kept == replace(letter(7), redriven_as=OTHER_UPLOAD)


def test_letters_of_an_upload_are_listed_in_file_order(ledger: Ledger) -> None:
    for line in (100, 9, 20):
        ledger.put_dead_letter(letter(line, refused_at=3_000.0 - line))
    ledger.put_dead_letter(letter(1, upload=OTHER_UPLOAD))

    assert [kept.line for kept in ledger.dead_letters(UPLOAD, limit=10)] == [9, 20, 100]
    assert [kept.line for kept in ledger.dead_letters(UPLOAD, limit=2)] == [9, 20]


def test_letters_of_all_uploads_are_listed_newest_first(ledger: Ledger) -> None:
    ledger.put_dead_letter(letter(1, refused_at=2_000.25))
    ledger.put_dead_letter(letter(2, upload=OTHER_UPLOAD, refused_at=2_000.75))
    ledger.put_dead_letter(letter(3, refused_at=2_000.5))

    assert [kept.line for kept in ledger.dead_letters(limit=10)] == [2, 3, 1]
    assert [kept.line for kept in ledger.dead_letters(limit=1)] == [2]


def test_a_letter_is_redriven_once(store: Store) -> None:
    store.ledger.put_dead_letter(letter(7))

    first = store.ledger.mark_redriven(letter(7), upload=OTHER_UPLOAD)
    same = store.another().mark_redriven(letter(7), upload=OTHER_UPLOAD)
    other = store.another().mark_redriven(letter(7), upload=UploadId("9" * 20))

    assert (first, same, other) == (True, True, False)
    kept = store.ledger.read_dead_letter(UPLOAD, letter(7).position)
    assert kept is not None
    assert kept.redriven_as == OTHER_UPLOAD


def test_a_missing_letter_is_not_redriven(ledger: Ledger) -> None:
    assert not ledger.mark_redriven(letter(7), upload=OTHER_UPLOAD)
    assert ledger.read_dead_letter(UPLOAD, letter(7).position) is None


CLOSURE = Closure(3_000.0, "ann", "the customer cancelled")


def closed_of(ledger: Ledger, upload: UploadId = UPLOAD) -> int:
    account = ledger.read_account(upload)
    assert account is not None
    return account.upload.letters_closed


def test_a_closed_letter_is_kept_and_not_listed(store: Store) -> None:
    begin(store.ledger)
    for line in (1, 2, 3):
        store.ledger.put_dead_letter(letter(line, refused_at=2_000.0 + line))

    closed = store.ledger.close_letters([letter(2)], CLOSURE)

    ledger = store.another()
    assert closed == 1
    assert ledger.read_dead_letter(UPLOAD, letter(2).position) == replace(
        letter(2, refused_at=2_002.0), closure=CLOSURE
    )
    assert [kept.line for kept in ledger.dead_letters(UPLOAD, limit=9)] == [1, 3]
    assert [kept.line for kept in ledger.dead_letters(limit=9)] == [3, 1]
    everything = ledger.dead_letters(UPLOAD, limit=9, with_closed=True)
    assert [kept.line for kept in everything] == [1, 2, 3]
    newest_first = ledger.dead_letters(limit=2, with_closed=True)
    assert [kept.line for kept in newest_first] == [3, 2]


def test_a_letter_is_closed_once_whoever_closes_it(store: Store) -> None:
    begin(store.ledger)
    store.ledger.put_dead_letter(letter(1))
    store.ledger.put_dead_letter(letter(2))

    first = store.ledger.close_letters([letter(1)], CLOSURE)
    second = store.another().close_letters(
        [letter(1), letter(2), letter(9)], replace(CLOSURE, at=9.0)
    )

    assert (first, second) == (1, 1)
    kept = store.ledger.read_dead_letter(UPLOAD, letter(1).position)
    assert kept is not None
    assert kept.closure == CLOSURE
    assert closed_of(store.ledger) == 2


def test_letters_of_any_number_are_closed_and_counted(shared_store: Store) -> None:
    ledger = shared_store.ledger  # moto takes seconds for so many
    begin(ledger)
    letters = [letter(line) for line in range(1, 121)]
    for one in letters:
        ledger.put_dead_letter(one)

    assert ledger.close_letters(letters, CLOSURE) == 120
    assert closed_of(ledger) == 120
    assert list(ledger.dead_letters(UPLOAD, limit=9)) == []


def test_a_letter_whose_order_is_sent_again_is_not_closed(ledger: Ledger) -> None:
    begin(ledger)
    for line in (1, 2):
        ledger.put_dead_letter(letter(line))
    ledger.mark_redriven(letter(1), upload=OTHER_UPLOAD)
    redrive = ledger.begin_redrive(UPLOAD, key="uploads/again.jsonl", now=1.0)
    ledger.claim_letters(redrive, [letter(2)])

    assert ledger.close_letters([letter(1), letter(2)], CLOSURE) == 0
    assert [kept.closure for kept in ledger.dead_letters(UPLOAD, limit=9)] == [None, None]


def test_an_order_whose_letter_is_closed_is_not_sent_again(ledger: Ledger) -> None:
    begin(ledger)
    ledger.put_dead_letter(letter(1))
    ledger.close_letters([letter(1)], CLOSURE)
    redrive = ledger.begin_redrive(UPLOAD, key="uploads/again.jsonl", now=1.0)

    ledger.claim_letters(redrive, [letter(1)])

    kept = ledger.read_dead_letter(UPLOAD, letter(1).position)
    assert kept is not None
    assert kept.redrive_key is None
    assert not ledger.mark_redriven(letter(1), upload=OTHER_UPLOAD)
    ledger.end_redrive(redrive)
    assert set(ledger.redrivable_uploads()) == set()


def test_the_upload_counts_each_letter_that_was_sent_again_or_closed_once(store: Store) -> None:
    begin(store.ledger)
    for line in (1, 2, 3):
        store.ledger.put_dead_letter(letter(line))
    ledger = store.another()

    for _ in range(2):
        ledger.mark_redriven(letter(1), upload=OTHER_UPLOAD)
        ledger.close_letters([letter(2)], CLOSURE)

    assert closed_of(ledger) == 2


def test_an_upload_that_ended_is_listed_with_the_count_of_its_closed_letters(
    ledger: Ledger,
) -> None:
    begin(ledger)
    for line in (1, 2):
        ledger.put_dead_letter(letter(line))
    ledger.close_letters([letter(1)], CLOSURE)
    ledger.settle(lane_of(ledger), told(orders(1, 2, Outcome.REFUSED), ended=True))
    finish(ledger, 2)
    (before,) = ledger.ended_accounts(since=0.0)
    ledger.close_letters([letter(2)], CLOSURE)

    (after,) = ledger.ended_accounts(since=0.0)

    assert (before.open_letters, after.open_letters) == (1, 0)
    assert after.tally.refused == 2


def test_letters_of_what_has_no_upload_are_closed_without_a_count(ledger: Ledger) -> None:
    record = letter(7, upload=UNREADABLE)
    ledger.put_dead_letter(record)

    assert ledger.close_letters([record], CLOSURE) == 1
    assert list(ledger.dead_letters(limit=9)) == []
    assert ledger.read_account(UNREADABLE) is None


def test_the_largest_line_is_kept_whole(ledger: Ledger) -> None:
    body = b"\xff" * (256 * 1024)

    ledger.put_dead_letter(replace(letter(7), body=body))

    kept = ledger.read_dead_letter(UPLOAD, letter(7).position)
    assert kept is not None
    assert kept.body == body


def test_a_body_too_large_for_the_ledger_is_left_in_the_object(ledger: Ledger) -> None:
    huge = replace(letter(7), body=b"x" * (BODY_BYTES_MAX + 1), answer="y" * 1_000_000)

    ledger.put_dead_letter(huge)

    kept = ledger.read_dead_letter(UPLOAD, huge.position)
    assert kept == replace(huge, body=None, answer="y" * TEXT_CHARACTERS_MAX)


def test_records_that_are_no_envelopes_are_kept_by_their_place_in_the_stream(
    ledger: Ledger,
) -> None:
    position = f"{'4' * 56}-17"
    record = DeadLetter(
        UNREADABLE, position, 0, 0, "", b"\x00junk", None, "no envelope", "", 0, 2_000.0, 2_000.0
    )

    ledger.put_dead_letter(record)

    assert ledger.read_dead_letter(UNREADABLE, position) == record
    assert list(ledger.dead_letters(UNREADABLE, limit=10)) == [record]


@pytest.mark.parametrize(
    "text",
    ["A" * 289_000, "\U0001f600" * 289_000, "\x00" * 289_000, "\ud800" * 289_000, "\udfff", ""],
    ids=["long", "four bytes each", "NUL", "half surrogate pairs", "half a pair", "nothing"],
)
@pytest.mark.parametrize("upload", [UPLOAD, UNREADABLE])
def test_whatever_the_stream_or_the_api_sent_can_be_kept(
    store: Store, upload: UploadId, text: str
) -> None:
    body = b"\xff" * 1_048_576
    kept = replace(letter(7, upload=upload), order_id=text, reason=text, answer=text, body=body)

    store.ledger.put_dead_letter(kept)

    found = store.another().read_dead_letter(upload, kept.position)
    assert found is not None
    assert len(found.order_id) <= ORDER_ID_CHARACTERS_MAX
    assert len(found.reason) <= TEXT_CHARACTERS_MAX
    assert len(found.answer) <= TEXT_CHARACTERS_MAX
    shown = text.encode(errors="backslashreplace").decode()
    assert shown.startswith(found.order_id)
    assert bool(found.order_id) == bool(text)


def test_of_a_large_record_that_is_no_envelope_the_start_is_kept_and_the_reason_says_so(
    ledger: Ledger,
) -> None:
    record = replace(letter(7, upload=UNREADABLE), reason="no envelope", body=b"x" * 1_048_576)

    ledger.put_dead_letter(record)

    kept = ledger.read_dead_letter(UNREADABLE, record.position)
    assert kept is not None
    assert kept.body == b"x" * BODY_BYTES_MAX
    assert kept.reason == "no envelope; only the first 300000 of its 1048576 bytes are kept"
