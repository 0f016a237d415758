"""What every ledger promises about the reading of an upload."""

from dataclasses import replace

import pytest

from ledger.errors import UploadMissing
from ledger.uploads.id_repeats import NO_REPEATS, IdRepeats
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.upload import LaneTail, Progress, Source, UploadKind, UploadState
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


def test_an_announced_upload_is_open_and_reading(ledger: Ledger) -> None:
    row = ledger.announce(UPLOAD, SOURCE, now=1_000.25)

    assert (row.state, row.listed_open, row.lanes) == (UploadState.READING, True, 0)
    assert (row.created_at, row.source, row.kind) == (1_000.25, SOURCE, UploadKind.FILE)
    account = ledger.read_account(UPLOAD)
    assert account is not None
    assert account.upload == row
    assert account.lanes == ()


def test_whoever_announces_second_gets_the_row_of_the_first(store: Store) -> None:
    first = store.ledger.announce(UPLOAD, SOURCE, now=1_000.0)

    second = store.another().announce(
        UPLOAD, Source("b", "other", "", "", 1), now=2_000.0, kind=UploadKind.REDRIVE
    )

    assert second == first


def test_an_upload_that_is_known_to_nobody_has_no_account(ledger: Ledger) -> None:
    assert ledger.read_account(UPLOAD) is None


def test_a_first_run_fixes_the_lanes_and_makes_their_rows(ledger: Ledger) -> None:
    row = begin(ledger, lanes=3)

    assert (row.lanes, row.run_token, row.updated_at) == (3, "run-1", 1_001.0)
    account = ledger.read_account(UPLOAD)
    assert account is not None
    assert [lane.key for lane in account.lanes] == [
        LaneKey(UPLOAD, LaneNumber(number)) for number in range(3)
    ]
    assert all((lane.mark, lane.revision, lane.ended) == (0, 0, False) for lane in account.lanes)


def test_a_later_run_keeps_the_lanes_and_what_is_settled(store: Store) -> None:
    begin(store.ledger, lanes=2)
    store.ledger.settle(lane_of(store.ledger), told(orders(1, 4)))

    row = store.another().start_run(UPLOAD, token="run-2", lanes=5, now=1_100.0)

    assert (row.lanes, row.run_token) == (2, "run-2")
    assert lane_of(store.ledger).mark == 4
    assert store.ledger.read_lane(LaneKey(UPLOAD, LaneNumber(2))) is None


def test_a_later_run_starts_from_the_progress_of_the_earlier_one(ledger: Ledger) -> None:
    begin(ledger)
    ledger.save_progress(UPLOAD, token="run-1", progress=progress(7, invalid=2), now=1_002.0)

    row = ledger.start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)

    assert row.progress == progress(7, invalid=2)


def test_progress_is_read_as_it_was_saved(ledger: Ledger) -> None:
    begin(ledger, lanes=2)
    saved = Progress(
        2**40, 10**9, 3, 5, 10**8, (LaneTail(9, 4, "4" * 56), LaneTail(8, 3)), 0.1 + 0.2
    )

    state = ledger.save_progress(UPLOAD, token="run-1", progress=saved, now=1_002.0)

    assert state is UploadState.READING
    account = ledger.read_account(UPLOAD)
    assert account is not None
    assert account.upload.progress == saved


def test_a_run_that_was_taken_over_saves_no_more_progress(store: Store) -> None:
    begin(store.ledger)
    store.another().start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)

    state = store.ledger.save_progress(UPLOAD, token="run-1", progress=progress(5), now=1_101.0)

    assert state is None
    account = store.ledger.read_account(UPLOAD)
    assert account is not None
    assert account.upload.progress == Progress()


def test_progress_never_goes_back(ledger: Ledger) -> None:
    begin(ledger)
    ledger.save_progress(UPLOAD, token="run-1", progress=progress(5), now=1_002.0)

    state = ledger.save_progress(UPLOAD, token="run-1", progress=progress(4), now=1_003.0)

    assert state is None
    account = ledger.read_account(UPLOAD)
    assert account is not None
    assert account.upload.progress == progress(5)


def test_the_same_progress_saved_again_is_welcome(ledger: Ledger) -> None:
    begin(ledger)

    states = [
        ledger.save_progress(UPLOAD, token="run-1", progress=progress(5), now=1_002.0)
        for _ in range(2)
    ]

    assert states == [UploadState.READING, UploadState.READING]


def test_the_estimate_is_written_by_the_last_run_only(store: Store) -> None:
    begin(store.ledger)
    store.another().start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)

    late = store.ledger.write_estimate(UPLOAD, token="run-1", estimate=10, now=1_101.0)
    last = store.ledger.write_estimate(UPLOAD, token="run-2", estimate=99, now=1_102.0)

    assert (late, last) == (False, True)
    account = store.ledger.read_account(UPLOAD)
    assert account is not None
    assert account.upload.estimate == 99


def test_repeated_ids_are_noted_by_the_last_run_and_stay_with_the_ended_upload(
    store: Store,
) -> None:
    begin(store.ledger)
    store.another().start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)
    found = IdRepeats(in_file=1, sent_before=2, sent_by=(OTHER_UPLOAD,), is_partial=True)

    late = store.ledger.note_id_repeats(UPLOAD, token="run-1", repeats=NO_REPEATS, now=1_101.0)
    last = store.ledger.note_id_repeats(UPLOAD, token="run-2", repeats=found, now=1_102.0)
    finish(store.ledger, 2, run="run-2")
    store.ledger.settle(lane_of(store.ledger), told(orders(1, 2), ended=True))
    store.ledger.close_if_drained(UPLOAD, now=1_200.0)

    assert (late, last) == (None, UploadState.READING)
    account = store.another().read_account(UPLOAD)
    assert account is not None
    assert account.upload.id_repeats == found
    [listed] = store.another().ended_accounts(since=0.0)
    assert listed.upload.id_repeats == found


def test_an_admitted_upload_stays_admitted_for_later_runs(store: Store) -> None:
    begin(store.ledger)

    state = store.ledger.admit(UPLOAD, token="run-1", now=1_002.0)
    row = store.another().start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)

    assert state is UploadState.READING
    assert row.admitted


def test_a_run_that_was_taken_over_admits_nothing(store: Store) -> None:
    begin(store.ledger)
    store.another().start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)

    assert store.ledger.admit(UPLOAD, token="run-1", now=1_101.0) is None

    account = store.ledger.read_account(UPLOAD)
    assert account is not None
    assert not account.upload.admitted


def test_a_run_learns_of_a_cancel_when_its_upload_is_admitted(ledger: Ledger) -> None:
    begin(ledger)
    ledger.cancel(UPLOAD, reason="a mistake", now=1_002.0)

    assert ledger.admit(UPLOAD, token="run-1", now=1_003.0) is UploadState.CANCELLED


def test_an_admitted_upload_cannot_be_refused(ledger: Ledger) -> None:
    begin(ledger)
    ledger.admit(UPLOAD, token="run-1", now=1_002.0)

    with pytest.raises(ValueError, match="was admitted"):
        finish(ledger, 0, state=UploadState.REFUSED_ADMISSION)


def test_a_finished_reading_waits_for_its_orders(ledger: Ledger) -> None:
    begin(ledger)

    assert finish(ledger, 5, invalid=1)

    account = ledger.read_account(UPLOAD)
    assert account is not None
    assert (account.upload.state, account.upload.read_complete) == (UploadState.SENDING, True)
    assert (account.upload.listed_open, account.upload.ended_at) == (True, None)
    assert (account.lines_read, account.enqueued, account.waiting) == (5, 4, 4)


def test_a_run_that_was_taken_over_does_not_finish_the_reading(store: Store) -> None:
    begin(store.ledger)
    store.another().start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)

    assert not finish(store.ledger, 5)

    account = store.ledger.read_account(UPLOAD)
    assert account is not None
    assert not account.upload.read_complete


def test_finishing_again_changes_nothing_that_happened_after(ledger: Ledger) -> None:
    begin(ledger)
    finish(ledger, 2)
    ledger.settle(lane_of(ledger), told(orders(1, 2), ended=True))
    closed = ledger.close_if_drained(UPLOAD, now=1_500.0)

    assert finish(ledger, 2, now=1_600.0)

    assert ledger.read_account(UPLOAD) == closed
    assert closed.upload.state is UploadState.DONE


def test_once_the_reading_is_complete_a_run_changes_its_token_only(ledger: Ledger) -> None:
    begin(ledger)
    finish(ledger, 2)
    before = ledger.read_account(UPLOAD)
    assert before is not None

    row = ledger.start_run(UPLOAD, token="run-2", lanes=7, now=9_999.0)

    assert (row.run_token, row.lanes) == ("run-2", 1)
    assert (row.updated_at, row.progress) == (before.upload.updated_at, before.upload.progress)


@pytest.mark.parametrize(
    ("state", "lines", "invalid"),
    [
        (UploadState.DONE, 0, 0),
        (UploadState.DONE_WITH_PROBLEMS, 3, 3),
        (UploadState.REFUSED_ADMISSION, 0, 0),
    ],
)
def test_an_upload_that_enqueued_nothing_is_over_when_its_reading_is(
    ledger: Ledger, state: UploadState, lines: int, invalid: int
) -> None:
    begin(ledger)

    assert finish(ledger, lines, state=state, invalid=invalid, reason="why", now=1_050.5)

    account = ledger.read_account(UPLOAD)
    assert account is not None
    row = account.upload
    assert (row.state, row.reason, row.ended_at) == (state, "why", 1_050.5)
    assert not row.listed_open
    assert list(ledger.open_accounts()) == []
    assert list(ledger.ended_accounts(since=1_050.0)) == [replace(account, lanes=())]


def test_a_reading_that_enqueued_orders_cannot_say_that_it_did_not(ledger: Ledger) -> None:
    begin(ledger)

    with pytest.raises(ValueError, match="5 orders were enqueued"):
        finish(ledger, 5, state=UploadState.DONE)


@pytest.mark.parametrize("state", [UploadState.SOURCE_LOST, UploadState.UNREADABLE])
def test_what_was_enqueued_before_the_source_failed_is_still_waited_for(
    ledger: Ledger, state: UploadState
) -> None:
    begin(ledger)
    finish(ledger, 2, state=state, reason="the object was replaced")
    waiting = ledger.close_if_drained(UPLOAD, now=1_100.0)

    ledger.settle(lane_of(ledger), told(orders(1, 2), ended=True))
    ended = ledger.close_if_drained(UPLOAD, now=1_200.0)

    assert (waiting.upload.listed_open, waiting.upload.state) == (True, state)
    assert (ended.upload.listed_open, ended.upload.state) == (False, state)
    assert (ended.upload.ended_at, ended.upload.reason) == (1_200.0, "the object was replaced")


def test_nothing_of_an_unknown_upload_can_be_changed(ledger: Ledger) -> None:
    calls = (
        lambda: ledger.start_run(UPLOAD, token="t", lanes=1, now=1.0),
        lambda: ledger.write_estimate(UPLOAD, token="t", estimate=1, now=1.0),
        lambda: ledger.admit(UPLOAD, token="t", now=1.0),
        lambda: ledger.note_id_repeats(UPLOAD, token="t", repeats=NO_REPEATS, now=1.0),
        lambda: ledger.save_progress(UPLOAD, token="t", progress=progress(1), now=1.0),
        lambda: finish(ledger, 1),
        lambda: ledger.close_if_drained(UPLOAD, now=1.0),
        lambda: ledger.cancel(UPLOAD, reason="", now=1.0),
        lambda: ledger.link(UPLOAD, OTHER_UPLOAD),
    )

    for call in calls:
        with pytest.raises(UploadMissing) as missing:
            call()
        assert UPLOAD in str(missing.value)
        assert missing.value.hint


def test_a_redrive_and_its_origin_are_linked_both_ways(ledger: Ledger) -> None:
    ledger.announce(UPLOAD, SOURCE, now=1.0)
    made = ledger.announce(OTHER_UPLOAD, SOURCE, now=2.0, kind=UploadKind.REDRIVE)

    ledger.link(UPLOAD, OTHER_UPLOAD)
    ledger.link(OTHER_UPLOAD, UPLOAD)

    first, second = ledger.read_account(UPLOAD), ledger.read_account(OTHER_UPLOAD)
    assert first is not None
    assert second is not None
    assert (first.upload.linked, second.upload.linked) == (OTHER_UPLOAD, UPLOAD)
    assert made.kind is second.upload.kind is UploadKind.REDRIVE
