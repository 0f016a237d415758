"""When is an upload's end asked for again?"""

from dataclasses import replace

from consumer.closing.still import (
    ABANDONED_SECONDS,
    CANCELLED_SECONDS,
    STILL_SECONDS,
    StillUploads,
)
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.upload import Account, LaneTail, Progress, Source, Upload, UploadState
from orders.upload import UploadId

ID = UploadId("0123456789abcdef0123")
PROGRESS = Progress(line=10, enqueued=10, tails=(LaneTail(10, 10),))
UPLOAD = Upload(
    ID,
    Source("bucket", "key", "1", "etag", 1),
    UploadState.SENDING,
    created_at=0.0,
    updated_at=0.0,
    lanes=1,
    progress=PROGRESS,
    read_complete=True,
)
LANE = Lane(LaneKey(ID, LaneNumber(0)))
ACCOUNT = Account(UPLOAD, (LANE,))
CANCELLED = Account(replace(UPLOAD, state=UploadState.CANCELLED), (LANE,))
DAY = 86_400.0


def due_times(account: Account, *, until: float, every: float = 5.0) -> list[float]:
    """When the end markers of an upload that never changes are put again."""
    still = StillUploads()
    return [n * every for n in range(int(until / every)) if put_if_due(still, account, n * every)]


def put_if_due(still: StillUploads, account: Account, now: float) -> bool:
    """Put the markers of an upload if they are due, which never fails."""
    for due in still.due([account], now):
        still.done(due.upload.id, now)
        return True
    return False


def test_the_waits_double_up_to_a_day_so_a_long_backlog_costs_few_markers() -> None:
    times = due_times(ACCOUNT, until=11 * DAY, every=60.0)

    assert times[:4] == [
        STILL_SECONDS,
        3 * STILL_SECONDS,
        7 * STILL_SECONDS,
        15 * STILL_SECONDS,
    ]
    assert len(times) < 20
    assert times[-1] - times[-2] == DAY


def test_an_upload_that_goes_on_is_let_be() -> None:
    still = StillUploads()

    for number in range(1_000):
        lane = replace(LANE, revision=number // 60)
        assert not still.due([Account(UPLOAD, (lane,))], number * 5.0)


def test_a_cancelled_upload_waits_a_minute_and_one_whose_reading_was_abandoned_two() -> None:
    reading = Account(replace(CANCELLED.upload, read_complete=False), (LANE,))

    assert due_times(CANCELLED, until=100.0) == [CANCELLED_SECONDS]
    assert due_times(reading, until=200.0) == [ABANDONED_SECONDS]


def test_a_cancel_does_not_wait_for_what_was_to_wait_before_it() -> None:
    still = StillUploads()
    times = [n * 60.0 for n in range(6 * 60) if put_if_due(still, ACCOUNT, n * 60.0)]
    assert times

    after = [n for n in range(21_600, 21_900) if still.due([CANCELLED], float(n))]

    assert after[0] == 21_600 + CANCELLED_SECONDS


def test_what_is_still_read_or_is_over_or_does_not_add_up_has_no_end_to_put() -> None:
    unread = replace(UPLOAD, read_complete=False, state=UploadState.READING)
    over = replace(UPLOAD, listed_open=False)
    unknown = replace(UPLOAD, progress=replace(PROGRESS, tails=()))

    for upload in (unread, over, unknown, replace(UPLOAD, lanes=2)):
        assert not due_times(Account(upload, (LANE,)), until=DAY)
