"""How does an upload end when the end of a lane left the stream?"""

from collections.abc import Callable

from consumer.closing.still import ABANDONED_SECONDS, STILL_SECONDS
from consumer.delivery.entries import Entry, Stage, StreamPosition, StreamRecord
from consumer.delivery.events import OrdersMissing
from consumer.delivery.window import Window
from ledger.pace import steps
from ledger.pace.pace import Pause
from ledger.uploads.lane import LaneKey, LaneNumber, Tally
from ledger.uploads.upload import UploadState
from orders.envelope import EndMarker
from orders.outcome import Outcome
from sandbox.judge.observations import numbers_of_account
from sandbox.simulation.world import upload_stream
from tests.support.simulated import START, UPLOAD, World


def lost_from(index: int) -> Callable[[StreamRecord], list[StreamRecord]]:
    """What happens to a stream whose records from `index` on are gone."""
    return lambda record: [record] if int(record.position.sequence) < index else []


def run_and_add_up(world: World, seconds: float) -> None:
    """Let time pass; the numbers of the upload add up at every poll."""
    for _ in range(int(seconds / 7.0) + 1):
        world.run(7.0)
        assert numbers_of_account(world.account).adds_up


def test_a_lost_tail_is_missing_once_nothing_was_settled_for_a_while() -> None:
    world = World(orders=10, tamper=lost_from(5))

    run_and_add_up(world, STILL_SECONDS + 60.0)

    assert world.account.tally == Tally(accepted=5, missing=5)
    assert world.account.upload.state is UploadState.DONE_WITH_PROBLEMS
    assert not world.account.upload.listed_open
    assert [event.count for event in world.events if isinstance(event, OrdersMissing)] == [5]


def test_a_lane_of_which_nothing_ever_came_is_missing_as_a_whole() -> None:
    world = World(orders=10, tamper=lost_from(0))

    run_and_add_up(world, STILL_SECONDS + 60.0)

    assert world.account.tally == Tally(missing=10)
    assert not world.account.upload.listed_open


def test_a_lost_end_marker_alone_makes_no_order_missing() -> None:
    world = World(orders=10, tamper=lost_from(10))

    run_and_add_up(world, STILL_SECONDS + 60.0)

    assert world.account.tally == Tally(accepted=10)
    assert world.account.upload.state is UploadState.DONE


def test_nothing_that_waits_in_the_stream_is_missing_however_long_sending_stands_still() -> None:
    world = World(orders=200)
    world.run(10.0)
    world.change_pace(lambda pace: steps.pause(pace, Pause("ann", "lunch", START + 10.0, None)))
    world.run(7_200.0)
    assert world.stream.added, "no end marker was put, so this shows nothing"

    world.change_pace(steps.resume)
    world.run_to_end()

    assert world.account.tally == Tally(accepted=200)
    assert world.accepted() == [f"o{line}" for line in range(1, 201)]


def test_a_cancelled_upload_with_a_lost_tail_closes_within_minutes() -> None:
    world = World(orders=10, tamper=lost_from(5))
    world.run(60.0)
    world.ledger.cancel(UPLOAD, reason="wrong file", now=world.timeline.now())

    run_and_add_up(world, 120.0)

    assert world.account.tally == Tally(accepted=5, cancelled=5)
    assert world.account.upload.state is UploadState.CANCELLED
    assert not world.account.upload.listed_open
    assert not [event for event in world.events if isinstance(event, OrdersMissing)]


def test_a_crash_between_a_gap_and_the_end_marker_that_showed_it_loses_neither() -> None:
    world = World(orders=10, tamper=lost_from(5))
    world.run(60.0)
    world.ledger.cancel(UPLOAD, reason="wrong file", now=world.timeline.now())
    until = world.timeline.now() + 120.0
    assert world.timeline.run(lambda: bool(world.stream.added), until=until)

    for life in range(2, 6):
        world.run(0.003)
        world.crash(token=f"token-{life}", after_seconds=0.001)
    world.run_to_end(limit_seconds=60.0)

    assert world.account.tally == Tally(accepted=5, cancelled=5)


def test_the_checkpoint_does_not_pass_the_order_that_showed_a_gap_of_a_cancelled_upload() -> None:
    key = LaneKey(UPLOAD, LaneNumber(0))
    gap = Entry(StreamPosition("7", 0), key, 0, 2, 1, stage=Stage.SETTLED, never_came=True)
    gap.outcome = Outcome.CANCELLED
    order = Entry(StreamPosition("7", 0), key, 2, 3, 3, stage=Stage.STARTED)
    window = Window(1, lambda _: None)
    window.active.extend([gap, order])

    window.pop_settled()

    assert window.frontier is None


def test_records_that_come_after_they_were_cancelled_as_lost_are_not_sent() -> None:
    world = World(orders=10, tamper=lost_from(5))
    world.run(60.0)
    world.ledger.cancel(UPLOAD, reason="wrong file", now=world.timeline.now())
    world.run(120.0)
    requests = len(world.requests)

    for item in (record.item for record in upload_records(world)):
        world.stream.put(item)
    world.run(60.0)

    assert len(world.requests) == requests
    assert world.account.tally == Tally(accepted=5, cancelled=5)
    assert world.process.checkpoint is not None
    assert int(world.process.checkpoint.sequence) == world.stream.end - 1


def upload_records(world: World) -> list[StreamRecord]:
    """The records of the whole upload, as the producer put them."""
    stream = upload_stream(World(orders=1).ledger, UPLOAD, world.orders, order_id="o{}".format)
    return stream.read(0, stream.length)


def test_a_cancelled_upload_whose_reading_never_ended_closes_when_no_run_is_left() -> None:
    world = World(orders=10, tamper=lost_from(4), is_read=False)
    world.run(3_600.0)
    assert not world.account.upload.read_complete
    assert world.account.tally == Tally(accepted=4)
    world.ledger.cancel(UPLOAD, reason="the event was given up", now=world.timeline.now())

    run_and_add_up(world, ABANDONED_SECONDS + 60.0)

    assert world.account.upload.state is UploadState.CANCELLED
    assert not world.account.upload.listed_open
    assert world.account.tally == Tally(accepted=4, cancelled=6)
    ends = [r.item for r in world.stream.added if isinstance(r.item, EndMarker)]
    assert [(end.prev, end.ordinal) for end in ends] == [(10, 10)]


def false_end_before(
    index: int, *, lost: int = 10**9
) -> Callable[[StreamRecord], list[StreamRecord]]:
    """A run ended too early before the record `index`; what comes from `lost` on left the stream.

    The line and the ordinal of an order of these uploads are its index and one.
    """

    def tamper(record: StreamRecord) -> list[StreamRecord]:
        at = int(record.position.sequence)
        end = StreamRecord(record.position, EndMarker(UPLOAD, LaneNumber(0), index, index))
        return [*([end] if at == index else []), *([record] if at < lost else [])]

    return tamper


def test_an_end_marker_in_the_middle_of_a_lane_closes_no_upload() -> None:
    for index in (0, 4):
        world = World(orders=10, tamper=false_end_before(index))

        world.run_to_end()

        assert world.account.tally == Tally(accepted=10)
        assert world.account.upload.state is UploadState.DONE
        assert world.ledger.ended_tally() == Tally(accepted=10)


def test_a_tail_lost_behind_an_end_marker_in_the_middle_of_its_lane_is_missing() -> None:
    world = World(orders=10, tamper=false_end_before(4, lost=7))

    run_and_add_up(world, STILL_SECONDS + 60.0)

    assert world.account.tally == Tally(accepted=7, missing=3)
    assert world.account.upload.state is UploadState.DONE_WITH_PROBLEMS
    assert not world.account.upload.listed_open
