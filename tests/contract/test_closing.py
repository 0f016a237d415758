"""What every ledger promises about the end of an upload, and about the lists."""

from dataclasses import replace

from ledger.uploads.lane import Tally
from ledger.uploads.settlement import Span
from ledger.uploads.upload import LaneTail, Progress, UploadState
from orders.outcome import Outcome
from orders.upload import UploadId
from tests.support.stores import (
    OTHER_UPLOAD,
    SOURCE,
    UPLOAD,
    Ledger,
    Store,
    begin,
    finish,
    lane_of,
    orders,
    progress,
    told,
)

ACCEPTED = Outcome.ACCEPTED


def finish_with(ledger: Ledger, read: Progress) -> None:
    """The run comes to its end with this progress."""
    ledger.finish_reading(
        UPLOAD, token="run-1", progress=read, state=UploadState.SENDING, reason="", now=1_002.0
    )


def test_the_consumer_closes_when_it_is_last(store: Store) -> None:
    begin(store.ledger)
    finish(store.ledger, 3)
    consumer = store.another()
    consumer.settle(lane_of(consumer), told(orders(1, 3), ended=True))

    account = consumer.close_if_drained(UPLOAD, now=1_234.5)

    assert (account.upload.state, account.upload.ended_at) == (UploadState.DONE, 1_234.5)
    assert not account.upload.listed_open


def test_the_reader_closes_when_it_is_last(store: Store) -> None:
    begin(store.ledger)
    consumer = store.another()
    consumer.settle(lane_of(consumer), told(orders(1, 3), ended=True))
    early = consumer.close_if_drained(UPLOAD, now=1_100.0)

    finish(store.ledger, 3, now=1_300.0)

    account = store.ledger.read_account(UPLOAD)
    assert account is not None
    assert early.upload.listed_open
    assert (account.upload.state, account.upload.ended_at) == (UploadState.DONE, 1_300.0)


def test_it_stays_open_until_the_last_lane_has_ended(ledger: Ledger) -> None:
    begin(ledger, lanes=2)
    finish(ledger, 2)

    ledger.settle(lane_of(ledger, lane=0), told(orders(1, 2), ended=True))
    one = ledger.close_if_drained(UPLOAD, now=1_100.0)
    ledger.settle(lane_of(ledger, lane=1), told(ended=True))
    both = ledger.close_if_drained(UPLOAD, now=1_200.0)

    assert (one.upload.state, one.upload.listed_open) == (UploadState.SENDING, True)
    assert (both.upload.state, both.upload.listed_open) == (UploadState.DONE, False)


def test_an_end_before_the_tail_of_its_lane_closes_nothing(store: Store) -> None:
    begin(store.ledger, lanes=3)
    consumer = store.another()
    consumer.settle(lane_of(consumer, lane=0), told(orders(1, 2), ended=True))  # of a run that died
    consumer.settle(lane_of(consumer, lane=1), told(ended=True))  # it holds no order
    consumer.settle(lane_of(consumer, lane=2), told(Span(0, 4, 1, 1, ACCEPTED), ended=True))
    tails = (LaneTail(5, 4), LaneTail(), LaneTail(4, 1))

    finish_with(store.ledger, replace(progress(5), tails=tails))

    early = store.ledger.read_account(UPLOAD)
    assert early is not None
    assert (early.upload.listed_open, early.waiting) == (True, 2)
    consumer.settle(lane_of(consumer), told(Span(2, 3, 1, 3, ACCEPTED)))
    ahead = consumer.close_if_drained(UPLOAD, now=1_100.0)
    consumer.settle(lane_of(consumer), told(Span(3, 5, 1, 4, ACCEPTED), ended=True))
    done = consumer.close_if_drained(UPLOAD, now=1_200.0)
    assert ahead.upload.listed_open
    assert (done.upload.state, done.upload.listed_open) == (UploadState.DONE, False)
    assert store.ledger.ended_tally() == Tally(accepted=5)


def test_closing_again_changes_nothing(store: Store) -> None:
    begin(store.ledger)
    finish(store.ledger, 1)
    store.ledger.settle(lane_of(store.ledger), told(orders(1, 1), ended=True))
    closed = store.ledger.close_if_drained(UPLOAD, now=1_100.0)

    again = store.another().close_if_drained(UPLOAD, now=1_200.0)

    assert again == closed
    assert store.ledger.ended_tally() == Tally(accepted=1)


def test_refused_invalid_or_missing_makes_it_done_with_problems(ledger: Ledger) -> None:
    cases = {
        UploadId("a" * 20): (told(orders(1, 2, Outcome.REFUSED), ended=True), 0),
        UploadId("b" * 20): (told(orders(1, 2, Outcome.MISSING), ended=True), 0),
        UploadId("c" * 20): (told(orders(1, 2), ended=True), 1),
    }
    for upload, (settlement, invalid) in cases.items():
        begin(ledger, upload)
        finish(ledger, 2 + invalid, upload=upload, invalid=invalid)
        ledger.settle(lane_of(ledger, upload), settlement)

        account = ledger.close_if_drained(upload, now=1_100.0)

        assert account.upload.state is UploadState.DONE_WITH_PROBLEMS


def test_the_totals_hold_what_every_ended_upload_settled(ledger: Ledger) -> None:
    assert ledger.ended_tally() == Tally()
    for upload, outcome in ((UPLOAD, Outcome.ACCEPTED), (OTHER_UPLOAD, Outcome.REFUSED)):
        begin(ledger, upload)
        finish(ledger, 3, upload=upload)
        ledger.settle(lane_of(ledger, upload), told(orders(1, 3, outcome), ended=True))
        ledger.close_if_drained(upload, now=1_100.0)

    assert ledger.ended_tally() == Tally(accepted=3, refused=3)


def test_a_cancelled_upload_tells_its_reader_to_stop(store: Store) -> None:
    begin(store.ledger)
    cancelled = store.another().cancel(UPLOAD, reason="wrong file", now=1_050.0)

    state = store.ledger.save_progress(UPLOAD, token="run-1", progress=progress(3), now=1_060.0)

    assert (cancelled.upload.state, cancelled.upload.reason) == (
        UploadState.CANCELLED,
        "wrong file",
    )
    assert cancelled.upload.listed_open
    assert state is UploadState.CANCELLED


def test_a_cancelled_upload_stays_cancelled_through_its_end(ledger: Ledger) -> None:
    begin(ledger)
    ledger.cancel(UPLOAD, reason="wrong file", now=1_050.0)
    finish(ledger, 3, reason="never shown")
    ledger.settle(lane_of(ledger), told(orders(1, 3, Outcome.CANCELLED), ended=True))

    account = ledger.close_if_drained(UPLOAD, now=1_100.0)

    assert (account.upload.state, account.upload.reason) == (UploadState.CANCELLED, "wrong file")
    assert (account.upload.ended_at, account.tally.cancelled) == (1_100.0, 3)


def test_a_cancelled_upload_that_enqueued_nothing_is_over_with_its_reading(
    ledger: Ledger,
) -> None:
    begin(ledger)
    ledger.cancel(UPLOAD, reason="wrong file", now=1_050.0)

    finish(ledger, 0, state=UploadState.DONE, now=1_060.0)

    account = ledger.read_account(UPLOAD)
    assert account is not None
    assert (account.upload.state, account.upload.ended_at) == (UploadState.CANCELLED, 1_060.0)


def test_an_upload_cancelled_before_its_first_run_is_over_at_once(store: Store) -> None:
    store.ledger.announce(UPLOAD, SOURCE, now=1_000.0)

    account = store.ledger.cancel(UPLOAD, reason="wrong file", now=1_050.0)
    late = store.another().start_run(UPLOAD, token="run-1", lanes=1, now=1_060.0)

    assert (account.upload.listed_open, account.upload.ended_at) == (False, 1_050.0)
    assert (late.state, late.read_complete, late.lanes) == (UploadState.CANCELLED, True, 0)


def test_a_second_cancel_keeps_the_first_reason(ledger: Ledger) -> None:
    begin(ledger)
    ledger.cancel(UPLOAD, reason="wrong file", now=1_050.0)

    again = ledger.cancel(UPLOAD, reason="really", now=1_060.0)

    assert (again.upload.reason, again.upload.updated_at) == ("wrong file", 1_050.0)


def test_an_upload_that_is_over_cannot_be_cancelled(ledger: Ledger) -> None:
    begin(ledger)
    finish(ledger, 1)
    ledger.settle(lane_of(ledger), told(orders(1, 1), ended=True))
    done = ledger.close_if_drained(UPLOAD, now=1_100.0)

    assert ledger.cancel(UPLOAD, reason="too late", now=1_200.0) == done


def test_open_and_ended_uploads_are_listed_newest_first(ledger: Ledger) -> None:
    uploads = [UploadId(f"{number:020d}") for number in range(4)]
    for number, upload in enumerate(uploads):
        ledger.announce(upload, SOURCE, now=1_000.0 + number / 1_000)
        ledger.start_run(upload, token="run-1", lanes=1, now=1_010.0)
    for number, upload in ((0, uploads[0]), (1, uploads[1])):
        finish(ledger, 0, upload=upload, state=UploadState.DONE, now=2_000.0 - number)

    assert [a.upload.id for a in ledger.open_accounts()] == [uploads[3], uploads[2]]
    assert [a.upload.id for a in ledger.ended_accounts(since=0.0)] == [uploads[0], uploads[1]]
    assert [a.upload.id for a in ledger.ended_accounts(since=1_999.5)] == [uploads[0]]
    assert [a.upload.id for a in ledger.ended_accounts(since=1_999.0)] == [uploads[0], uploads[1]]


def test_an_account_adds_up_while_settling_runs_ahead_of_the_reading(ledger: Ledger) -> None:
    begin(ledger)
    ledger.save_progress(
        UPLOAD, token="run-1", progress=progress(4, invalid=1, blank=1), now=1_002.0
    )
    ledger.settle(lane_of(ledger), told(orders(1, 5)))

    account = ledger.read_account(UPLOAD)

    assert account is not None
    assert (account.enqueued, account.waiting, account.lines_read) == (5, 0, 7)


def test_an_ended_upload_is_listed_with_its_counts_and_without_its_lanes(ledger: Ledger) -> None:
    begin(ledger, lanes=2)
    read = replace(progress(4, invalid=1), tails=(LaneTail(2, 2), LaneTail(3, 1)))
    finish_with(ledger, read)
    ledger.settle(lane_of(ledger, lane=0), told(orders(1, 2, Outcome.REFUSED), ended=True))
    ledger.settle(lane_of(ledger, lane=1), told(Span(0, 3, 1, 1, Outcome.ACCEPTED), ended=True))
    closed = ledger.close_if_drained(UPLOAD, now=1_100.0)

    (listed,) = ledger.ended_accounts(since=0.0)

    assert listed.lanes == ()
    assert listed.tally == closed.tally == Tally(accepted=1, refused=2)
    assert (listed.lines_read, listed.enqueued, listed.waiting) == (4, 3, 0)
    assert listed.upload == closed.upload
