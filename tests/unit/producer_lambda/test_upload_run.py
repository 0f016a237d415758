import gzip
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.errors import UploadMissing
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import UploadState
from orders.outcome import Outcome
from orders.upload import UploadId, partition_key
from producer_lambda.enqueuing import RESUME_BYTES
from producer_lambda.upload_requests import UploadRequest
from producer_lambda.upload_run import NoProgress, RunEnd
from tests.support.producer_world import (
    FaultyStream,
    Fuse,
    HeldClock,
    World,
    consume,
    order_line,
)

LINES = [order_line(number) for number in range(1, 101)]
FILE = b"\n".join(LINES)


@pytest.mark.parametrize("lanes", [1, 4])
def test_a_file_is_on_the_stream_whole_and_its_lanes_are_ended(lanes: int) -> None:
    world = World(lanes=lanes)
    request = world.store(FILE)

    assert world.run(request) is RunEnd.FINISHED

    seen = consume(world.stream.records)
    assert seen.bodies == dict(enumerate(LINES, 1))
    assert sorted(lane for _, lane in seen.ends) == list(range(lanes))
    upload = world.account(request).upload
    assert upload.state is UploadState.SENDING
    assert upload.read_complete
    assert upload.lanes == lanes


def test_a_repeated_event_changes_nothing() -> None:
    world = World()
    request = world.store(FILE)
    world.run(request)
    records = list(world.stream.records)

    assert world.run(request) is RunEnd.NOTHING_TO_DO
    assert world.run(request) is RunEnd.NOTHING_TO_DO

    assert world.stream.records == records


def test_a_separate_thread_gives_the_same_result() -> None:
    with ThreadPoolExecutor(max_workers=1) as executor:
        world = World(lanes=3, executor=executor)
        request = world.store(b"\n".join(map(order_line, range(3_000))))

        world.run(request)

    assert len(consume(world.stream.records).bodies) == 3_000


def test_each_record_is_put_with_the_answer_to_the_one_before_it_in_its_lane() -> None:
    lanes = 4
    with ThreadPoolExecutor(lanes) as putters:
        world = World(lanes=lanes, putters=putters)
        request = world.store(b"\n".join(map(order_line, range(1_000))))

        world.run(request)

    stream = world.stream
    for lane in range(lanes):
        key = partition_key(request.upload, lane)
        afters = [put.after for put in stream.puts if put.aggregate.partition_key == key]
        numbers = [
            str(number)
            for record, number in zip(stream.records, stream.numbers, strict=True)
            if record.partition_key == key
        ]
        assert len(numbers) > 10
        assert afters == ["", *numbers[:-1]]


def test_the_first_record_of_a_run_follows_the_last_one_of_the_previous_run() -> None:
    world = World(clock=HeldClock(tick_seconds=0.05))
    request = world.store(FILE)
    assert world.run(request, seconds=1) is RunEnd.HANDED_ON
    (tail,) = world.account(request).upload.progress.tails
    before = len(world.stream.puts)

    world.run(UploadRequest(request.upload))

    assert tail.sequence_number == str(world.stream.numbers[before - 1])
    assert world.stream.puts[before].after == tail.sequence_number


def test_end_markers_of_a_cancelled_upload_follow_its_orders() -> None:
    world = World(lanes=2)
    request = world.store(FILE)

    def cancel() -> None:
        world.ledger.cancel(request.upload, reason="a mistake", now=0.0)

    world.run(request, fuse=Fuse(20, happens=cancel))

    tails = world.account(request).upload.progress.tails
    ends = world.stream.puts[-2:]
    assert {put.aggregate.orders for put in ends} == {0}
    assert {tail.line for tail in tails} == {put.aggregate.line for put in ends}
    assert all(put.after for put in ends)


def test_an_error_in_that_thread_ends_the_run() -> None:
    with ThreadPoolExecutor(max_workers=1) as executor:
        world = World(executor=executor)
        request = world.store(FILE)

        def fail() -> None:
            raise ConnectionError

        with pytest.raises(ConnectionError):
            world.run(request, fuse=Fuse(12, happens=fail))

        world.run(request)
    assert consume(world.stream.records).bodies == dict(enumerate(LINES, 1))


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b"", UploadState.DONE),
        (b"\n \n", UploadState.DONE),
        (b"{bad\n", UploadState.DONE_WITH_PROBLEMS),
    ],
)
def test_a_file_without_any_order_is_over_at_once(content: bytes, state: UploadState) -> None:
    world = World()
    request = world.store(content)

    world.run(request)

    upload = world.account(request).upload
    assert upload.state is state
    assert not upload.listed_open
    assert world.stream.records == []


def test_an_object_that_was_never_there_is_lost_with_a_sentence() -> None:
    world = World()
    request = world.store(FILE)
    world.bucket.objects.clear()

    assert world.run(request) is RunEnd.FINISHED

    upload = world.account(request).upload
    assert upload.state is UploadState.SOURCE_LOST
    assert upload.reason == "the object is gone from the bucket; orders read before that are sent"
    assert world.run(request) is RunEnd.NOTHING_TO_DO


def test_an_object_that_vanishes_between_runs_keeps_counts_and_resume_point() -> None:
    world = World(clock=HeldClock(tick_seconds=0.05))
    request = world.store(FILE)
    assert world.run(request, seconds=1) is RunEnd.HANDED_ON
    before = world.account(request).upload.progress
    assert 0 < before.line < 100

    world.bucket.lost = "the object was replaced by another one"
    assert world.run(UploadRequest(request.upload)) is RunEnd.FINISHED

    upload = world.account(request).upload
    assert upload.state is UploadState.SOURCE_LOST
    assert upload.progress.line == before.line
    assert upload.progress.enqueued == before.enqueued
    seen = consume(world.stream.records)
    assert len(seen.bodies) == before.enqueued
    assert len(seen.ends) == 1


def test_a_file_of_another_kind_is_unreadable_with_line_and_reason() -> None:
    world = World()
    request = world.store(FILE, "uploads/orders.jsonl.gz")

    world.run(request)

    upload = world.account(request).upload
    assert upload.state is UploadState.UNREADABLE
    assert upload.reason == "line 1: is not gzip"


def test_a_cancelled_upload_is_read_no_further_and_its_lanes_are_ended() -> None:
    world = World(lanes=2)
    request = world.store(FILE)

    def cancel() -> None:
        world.ledger.cancel(request.upload, reason="a mistake", now=0.0)

    assert world.run(request, fuse=Fuse(20, happens=cancel)) is RunEnd.FINISHED

    upload = world.account(request).upload
    assert upload.state is UploadState.CANCELLED
    assert upload.reason == "a mistake"
    assert upload.read_complete
    assert 0 < upload.progress.enqueued < 100
    seen = consume(world.stream.records)
    assert len(seen.bodies) == upload.progress.enqueued
    assert len(seen.ends) == 2


def test_an_upload_cancelled_before_its_first_run_is_not_read() -> None:
    world = World()
    request = world.store(FILE)
    assert request.source is not None
    world.ledger.announce(request.upload, request.source, now=0.0)
    world.ledger.cancel(request.upload, reason="a mistake", now=0.0)

    world.run(request)

    assert world.stream.records == []
    assert not world.account(request).upload.listed_open


def test_a_run_that_another_one_took_over_puts_nothing_more() -> None:
    world = World()
    request = world.store(FILE)
    ends: list[RunEnd] = []

    first = world.run(request, fuse=Fuse(20, happens=lambda: ends.append(world.run(request))))

    assert ends == [RunEnd.FINISHED]
    assert first is RunEnd.SUPERSEDED
    assert consume(world.stream.records).bodies == dict(enumerate(LINES, 1))


@pytest.mark.parametrize("key", ["o.jsonl", "o.csv.gz"])
def test_a_file_that_needs_many_runs_arrives_whole(key: str) -> None:
    world = World(clock=HeldClock(tick_seconds=0.05))
    header = b"order_id,customer_id,sku,quantity,unit_price,currency\n"
    records = b"".join(b"A-%d,C,S,1,9.99,EUR\n" % n for n in range(300))
    content = FILE if key == "o.jsonl" else gzip.compress(header + records)
    request = world.store(content, key)

    runs = world.run_until_read(request, seconds=1)

    assert runs >= 4
    assert len(consume(world.stream.records).bodies) == (100 if key == "o.jsonl" else 300)
    assert consume(world.stream.records).repeats == 0
    assert world.account(request).upload.progress.read_seconds > runs - 2


def test_a_run_without_progress_fails_instead_of_asking_for_another() -> None:
    world = World(stream=FaultyStream(faults=["lost"] * 10_000))
    request = world.store(FILE)

    with pytest.raises(NoProgress, match="came no further than line 0"):
        world.run(request, seconds=30)

    assert world.handed_on == []


def test_continuing_an_unknown_upload_is_an_error() -> None:
    with pytest.raises(UploadMissing):
        World().run(UploadRequest(UploadId("0" * 20)))


def test_settled_orders_close_the_upload_once_it_is_read() -> None:
    world = World()
    request = world.store(order_line(1) + b"\n{bad")
    world.run(request)
    lane = world.ledger.read_lane(LaneKey(request.upload, LaneNumber(0)))
    assert lane is not None

    span = Span(prev=0, line=1, count=1, first_ordinal=1, outcome=Outcome.ACCEPTED)
    world.ledger.settle(lane, Settlement((span,), ended=True))
    account = world.ledger.close_if_drained(request.upload, now=0.0)

    assert account.upload.state is UploadState.DONE_WITH_PROBLEMS
    assert account.lines_read == 2


def test_invalid_lines_of_a_long_file_are_stored_in_few_parts() -> None:
    world = World(longest_bytes=100_000)
    world.bucket.chunk_bytes = 100_000
    lines = [order_line(n, pad="x" * 5_000) if n % 10 else b"{bad" for n in range(1, 4_001)]
    request = world.store(b"\n".join(lines))

    world.run(request)

    assert len(world.reported(request)) == 400
    size_bytes = len(b"\n".join(lines))
    assert len(world.bucket.reports) <= size_bytes // RESUME_BYTES + 1
