"""What is done for an upload that stands still, whatever stream and ledger answer?"""

from dataclasses import dataclass, field
from itertools import pairwise

from consumer.closing.closer import Closer, MarkerNotPut
from consumer.closing.still import (
    ABANDONED_SECONDS,
    END_RETRY_SECONDS,
    END_RETRY_SECONDS_MAX,
    STILL_SECONDS,
)
from ledger.errors import LedgerUnreachable
from ledger.memory.ledger import MemoryLedger
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import Account, LaneTail, Progress, Source, UploadState
from orders.outcome import Outcome
from orders.upload import UploadId

ID = UploadId("0123456789abcdef0123")
TAILS = (LaneTail(7, 4), LaneTail(8, 4))
PROGRESS = Progress(line=8, enqueued=8, tails=TAILS)
RUN = "run"


@dataclass
class Place:
    """A ledger with one upload of two lanes, and a stream that notes the markers it is given."""

    is_read: bool = True
    is_stream_down: bool = False
    put: list[tuple[int, int, LaneTail]] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger()
        self.closer = Closer(self.ledger, self, clock=lambda: self.now, monotonic=lambda: self.now)
        self.ledger.announce(ID, Source("bucket", "key", "1", "etag", 1), now=0.0)
        self.ledger.start_run(ID, token=RUN, lanes=2, now=0.0)
        self.ledger.save_progress(ID, token=RUN, progress=PROGRESS, now=0.0)
        if self.is_read:
            self.finish()

    def finish(self) -> bool:
        """The run that reads comes to its end."""
        return self.ledger.finish_reading(
            ID, token=RUN, progress=PROGRESS, state=UploadState.SENDING, reason="", now=0.0
        )

    def put_end(self, key: LaneKey, *, lanes: int, tail: LaneTail) -> None:
        if self.is_stream_down:
            raise MarkerNotPut("no stream", hint="wait")
        self.put.append((key.lane, lanes, tail))

    def look_for(self, seconds: float) -> None:
        """Let the worker look again and again for so long."""
        until = self.now + seconds
        while self.now < until:
            self.closer.look(self.ledger.open_accounts())
            self.now += 5.0

    def end_lane(self, number: int) -> None:
        """The consumer reaches a lane's end marker."""
        lane = self.ledger.read_lane(LaneKey(ID, LaneNumber(number)))
        assert lane is not None
        span = Span(0, TAILS[number].line, TAILS[number].ordinal, 1, Outcome.ACCEPTED)
        self.ledger.settle(lane, Settlement((span,), ended=True))


def test_only_lanes_that_have_not_ended_get_their_marker_again() -> None:
    place = Place()
    place.end_lane(0)

    place.look_for(STILL_SECONDS + 10.0)

    assert place.put == [(1, 2, TAILS[1])]


def test_an_upload_that_nobody_closed_after_its_last_lane_ended_is_closed() -> None:
    place = Place()
    place.end_lane(0)
    place.end_lane(1)

    place.look_for(STILL_SECONDS + 10.0)

    assert not place.put
    assert not list(place.ledger.open_accounts())


def test_a_stream_that_takes_no_marker_leaves_the_reading_of_a_cancelled_upload_open() -> None:
    place = Place(is_read=False, is_stream_down=True)
    place.ledger.cancel(ID, reason="wrong file", now=0.0)
    place.look_for(ABANDONED_SECONDS + 10.0)
    (account,) = place.ledger.open_accounts()
    assert not account.upload.read_complete

    place.is_stream_down = False
    place.look_for(2 * END_RETRY_SECONDS)

    (account,) = place.ledger.open_accounts()
    assert account.upload.read_complete
    assert account.upload.state is UploadState.CANCELLED
    assert place.put == [(0, 2, TAILS[0]), (1, 2, TAILS[1])]


def test_a_run_that_was_given_up_too_early_cannot_end_the_reading_any_more() -> None:
    place = Place(is_read=False)
    place.ledger.cancel(ID, reason="wrong file", now=0.0)
    place.look_for(ABANDONED_SECONDS + 10.0)

    progress = Progress(line=9, enqueued=9, tails=(LaneTail(9, 5), TAILS[1]))

    assert place.ledger.save_progress(ID, token=RUN, progress=progress, now=place.now) is None
    assert not place.finish()


def test_a_lane_that_ended_before_its_tail_gets_its_marker_again() -> None:
    place = Place()
    place.end_lane(0)
    lane = place.ledger.read_lane(LaneKey(ID, LaneNumber(1)))
    assert lane is not None
    place.ledger.settle(lane, Settlement(ended=True))

    place.look_for(STILL_SECONDS + 10.0)

    assert place.put == [(1, 2, TAILS[1])]
    assert list(place.ledger.open_accounts())


BAD, GOOD = UploadId("b" * 20), UploadId("a" * 20)


class OneFails(MemoryLedger):
    """A ledger that cannot close one of its uploads as long as it `fails`."""

    fails = True

    def close_if_drained(self, upload: UploadId, *, now: float) -> Account:
        if upload == BAD and self.fails and now:
            raise LedgerUnreachable("it is throttled", hint="wait")
        return super().close_if_drained(upload, now=now)


class Desk:
    """A closer over two open uploads, the newest of which cannot be closed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.put: dict[UploadId, list[float]] = {GOOD: [], BAD: []}
        self.errors = 0
        self.ledger = OneFails()
        self.closer = Closer(self.ledger, self, clock=lambda: self.now, monotonic=lambda: self.now)
        for number, upload in enumerate((GOOD, BAD)):
            self.ledger.announce(upload, Source("b", "k", "1", "etag", 1), now=float(number))
            self.ledger.start_run(upload, token=RUN, lanes=2, now=0.0)
            self.ledger.finish_reading(
                upload, token=RUN, progress=PROGRESS, state=UploadState.SENDING, reason="", now=0.0
            )

    def put_end(self, key: LaneKey, *, lanes: int, tail: LaneTail) -> None:
        del lanes, tail
        if not key.lane:
            self.put[key.upload].append(self.now)

    def look_for(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            try:
                self.closer.look(self.ledger.open_accounts())
            except LedgerUnreachable:
                self.errors += 1
            self.now += 5.0


def test_an_upload_that_fails_does_not_keep_the_others_waiting() -> None:
    desk = Desk()
    assert next(iter(desk.ledger.open_accounts())).upload.id == BAD

    desk.look_for(4 * STILL_SECONDS)

    assert desk.put[GOOD] == [STILL_SECONDS, 3 * STILL_SECONDS]
    assert desk.errors == len(desk.put[BAD])


def test_an_upload_that_fails_is_due_again_soon_and_never_rarer_than_every_ten_minutes() -> None:
    desk = Desk()

    desk.look_for(86_400.0)

    times = desk.put[BAD]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[:3] == [END_RETRY_SECONDS, 2 * END_RETRY_SECONDS, 4 * END_RETRY_SECONDS]
    assert max(waits) == END_RETRY_SECONDS_MAX
    desk.ledger.fails = False
    failed = desk.errors
    desk.look_for(2 * END_RETRY_SECONDS_MAX)
    assert desk.errors == failed
    assert len(desk.put[BAD]) == len(waits) + 2  # it is done, and has its long wait again
