from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier

import pytest

from orders.aggregate import Aggregate
from orders.upload import UploadId, partition_key
from producer_lambda.publishing import PendingRecord, Publisher, one_per_lane
from producer_lambda.run_deadline import Deadline
from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.stream import HashRange
from tests.support.producer_world import (
    ALL_KEYS,
    FaultyStream,
    HeldClock,
    InlineExecutor,
    MemoryStream,
)

UPLOAD = UploadId("0123456789abcdef0123")
HALVES = (HashRange(0, 4), HashRange(5, 9))
PATIENCE_SECONDS = 10.0


def record(lane: int, size: int = 10, line: int = 1) -> Aggregate:
    return Aggregate(partition_key(UPLOAD, lane), str(lane), b"x" * size, 1, line, line)


def publisher(
    stream: MemoryStream,
    *,
    seconds: float = 60.0,
    pacing: ShardPacing | None = None,
    executor: Executor | None = None,
) -> tuple[Publisher, HeldClock]:
    clock = HeldClock()
    deadline = Deadline(clock, clock.now + seconds)
    executor = executor or InlineExecutor()
    return Publisher(stream, pacing, deadline, executor=executor, jitter=lambda: 0.5), clock


def test_a_record_is_put_after_the_last_one_of_its_lane() -> None:
    stream = MemoryStream()
    one, _ = publisher(stream)
    (first,) = one.put([PendingRecord(record(0, line=1))]).entered

    (second,) = one.put([PendingRecord(record(0, line=2), after=first.sequence_number)]).entered

    assert [r.line for r in stream.records] == [1, 2]
    assert int(second.sequence_number) > int(first.sequence_number)


def test_a_record_that_fails_is_put_again_and_only_that_one() -> None:
    stream = FaultyStream(faults=["none", "lost", "throttled"])

    result = publisher(stream)[0].put([PendingRecord(record(lane)) for lane in range(3)])

    assert list(result.left) == []
    assert [put.aggregate.hash_key for put in stream.puts] == ["0", "1", "2", "1", "2"]


@pytest.mark.parametrize(("fault", "times_in"), [("lost", 1), ("unknown", 2), ("late", 2)])
def test_a_put_without_an_answer_is_made_again_with_the_same_number(
    fault: str, times_in: int
) -> None:
    stream = FaultyStream(faults=["none", fault])
    one, _ = publisher(stream)
    (first,) = one.put([PendingRecord(record(0, line=1))]).entered

    result = one.put([PendingRecord(record(0, line=2), after=first.sequence_number)])

    assert list(result.left) == []
    assert [r.line for r in stream.records] == [1] + [2] * times_in
    assert [put.after for put in stream.puts[1:]] == [first.sequence_number] * 2


def test_a_number_that_the_stream_refuses_is_omitted_after_a_second() -> None:
    stream = FaultyStream(faults=["none", "split"])
    one, clock = publisher(stream)
    (first,) = one.put([PendingRecord(record(0, line=1))]).entered
    began = clock.now

    result = one.put([PendingRecord(record(0, line=2), after=first.sequence_number)])

    assert list(result.left) == []
    assert [put.after for put in stream.puts[1:]] == [first.sequence_number, ""]
    assert clock.now - began >= 1
    assert [r.line for r in stream.records] == [1, 2]


def test_lanes_are_put_in_parallel() -> None:
    lanes = 4

    @dataclass
    class Meeting(MemoryStream):
        all_here: Barrier = field(default_factory=lambda: Barrier(lanes, timeout=PATIENCE_SECONDS))

        def put(self, aggregate: Aggregate, *, after: str) -> str:
            self.all_here.wait()
            return super().put(aggregate, after=after)

    stream = Meeting()
    with ThreadPoolExecutor(lanes) as executor:
        result = publisher(stream, executor=executor)[0].put(
            [PendingRecord(record(lane)) for lane in range(lanes)]
        )

    assert len(result.entered) == len(stream.records) == lanes


def test_each_failure_waits_longer_with_jitter_up_to_a_limit() -> None:
    stream = FaultyStream(faults=["lost"] * 10)
    one, clock = publisher(stream, seconds=1_000)
    began = clock.now

    one.put([PendingRecord(record(0))])

    waits = [0.75 * min(0.1 * 2**n, 5.0) for n in range(10)]
    assert clock.now - began == pytest.approx(sum(waits))


def test_it_ends_in_time_with_what_is_left_and_why() -> None:
    stream = FaultyStream(faults=["none"] + ["lost"] * 1_000)
    one, clock = publisher(stream, seconds=3)
    began = clock.now

    result = one.put([PendingRecord(record(0)), PendingRecord(record(1))])

    assert [entered.aggregate for entered in result.entered] == [record(0)]
    assert list(result.left) == [PendingRecord(record(1))]
    assert result.why == "no answer"
    assert clock.now - began < 3


def test_it_keeps_the_pace_of_the_shard() -> None:
    pacing = ShardPacing([ALL_KEYS], bytes_per_second=1_000)
    one, clock = publisher(MemoryStream(), pacing=pacing)
    began = clock.now

    for line in range(10):
        one.put([PendingRecord(record(0, 1_000, line))])

    assert clock.now - began == pytest.approx(8.5, abs=0.5)


def test_lanes_of_one_shard_start_one_after_the_other_at_its_pace() -> None:
    @dataclass
    class Watch(MemoryStream):
        clock: HeldClock = field(default_factory=HeldClock)
        starts: list[float] = field(default_factory=list)

        def put(self, aggregate: Aggregate, *, after: str) -> str:
            self.starts.append(self.clock.now)
            return super().put(aggregate, after=after)

    stream = Watch()
    one, stream.clock = publisher(stream, pacing=ShardPacing([ALL_KEYS], bytes_per_second=1_000))
    one.put([PendingRecord(record(0, 1_000))])
    stream.starts.clear()

    one.put([PendingRecord(record(lane, 1_000)) for lane in range(5)])

    gaps = [
        later - earlier for earlier, later in zip(stream.starts, stream.starts[1:], strict=False)
    ]
    assert gaps == pytest.approx([1.02] * 4, abs=0.01)


def test_a_pace_that_leaves_time_for_one_shard_only_puts_what_it_can() -> None:
    pacing = ShardPacing(HALVES, bytes_per_second=1_000)
    stream = MemoryStream()
    one, _ = publisher(stream, seconds=3, pacing=pacing)
    one.put([PendingRecord(record(0, 10_000))])

    result = one.put([PendingRecord(record(0, 10)), PendingRecord(record(7, 10))])

    assert list(result.left) == [PendingRecord(record(0, 10))]
    assert [entered.aggregate for entered in result.entered] == [record(7, 10)]
    assert result.why == "the stream's pace left no time"


def test_a_throttled_put_refreshes_the_shards() -> None:
    stream = FaultyStream(faults=["throttled", "lost"], shards=HALVES)
    pacing = ShardPacing([ALL_KEYS], bytes_per_second=1_000)
    one, _ = publisher(stream, pacing=pacing)

    result = one.put([PendingRecord(record(0)), PendingRecord(record(1))])

    assert len(result.entered) == 2
    pacing.spend("0", 100_000, now=0.0)
    assert pacing.wait_seconds("7", now=1_000_000.0) == 0


def test_groups_hold_a_lane_once_and_keep_its_order() -> None:
    records = [record(0, line=1), record(1, line=2), record(0, line=3), record(0, line=4)]

    groups = [[(r.hash_key, r.line) for r in group] for group in one_per_lane(records)]

    assert groups == [[("0", 1), ("1", 2)], [("0", 3)], [("0", 4)]]
