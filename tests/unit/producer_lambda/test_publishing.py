import pytest

from orders.aggregate import Aggregate
from orders.upload import UploadId, partition_key
from producer_lambda.clock import Deadline
from producer_lambda.publishing import CALL_BYTES, Publisher, one_per_lane
from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.stream import HashRange
from tests.producer_world import ALL_KEYS, FaultyStream, HeldClock, MemoryStream

UPLOAD = UploadId("0123456789abcdef0123")


def record(lane: int, size: int = 10, line: int = 1) -> Aggregate:
    return Aggregate(partition_key(UPLOAD, lane), str(lane), b"x" * size, 1, line, line)


def publisher(
    stream: MemoryStream, *, seconds: float = 60.0, pacing: ShardPacing | None = None
) -> tuple[Publisher, HeldClock]:
    clock = HeldClock()
    deadline = Deadline(clock, clock.now + seconds)
    return Publisher(stream, pacing, deadline, jitter=lambda: 0.5), clock


def test_records_that_fail_are_put_again_and_only_they() -> None:
    stream = FaultyStream(faults=[{1, 2}, {1}])
    records = [record(lane) for lane in range(4)]

    result = publisher(stream)[0].put(records)

    assert list(result.left) == []
    assert [len(call) for call in stream.calls] == [2, 1, 1]
    assert sorted(r.partition_key for r in stream.records) == [r.partition_key for r in records]


@pytest.mark.parametrize(("fault", "times_in"), [("lost", 1), ("unknown", 2)])
def test_a_call_without_an_answer_is_made_again(fault: str, times_in: int) -> None:
    stream = FaultyStream(faults=[fault])

    result = publisher(stream)[0].put([record(0)])

    assert list(result.left) == []
    assert len(stream.records) == times_in


def test_each_failure_waits_longer_with_jitter_up_to_a_limit() -> None:
    stream = FaultyStream(faults=["lost"] * 10)
    one, clock = publisher(stream, seconds=1_000)
    began = clock.now

    one.put([record(0)])

    waits = [0.75 * min(0.1 * 2**n, 5.0) for n in range(10)]
    assert clock.now - began == pytest.approx(sum(waits))


def test_it_ends_in_time_with_what_is_left_and_why() -> None:
    stream = FaultyStream(faults=[{0}] * 1_000)
    one, clock = publisher(stream, seconds=3)
    began = clock.now

    result = one.put([record(0), record(1)])

    assert [r.partition_key for r in result.entered] == [partition_key(UPLOAD, 1)]
    assert [r.partition_key for r in result.left] == [partition_key(UPLOAD, 0)]
    assert result.why == "InternalFailure"
    assert clock.now - began < 3


def test_a_call_stays_below_500_records_and_10_mib() -> None:
    many, large = MemoryStream(), MemoryStream()

    publisher(many)[0].put([record(lane) for lane in range(999)])
    publisher(large)[0].put([record(lane, CALL_BYTES // 3) for lane in range(5)])

    assert [len(call) for call in many.calls] == [500, 499]
    assert [len(call) for call in large.calls] == [2, 2, 1]


def test_it_keeps_the_pace_of_the_shard() -> None:
    stream = MemoryStream()
    pacing = ShardPacing([ALL_KEYS], bytes_per_second=1_000)
    one, clock = publisher(stream, pacing=pacing)
    began = clock.now

    for line in range(10):
        one.put([record(0, 1_000, line)])

    assert clock.now - began == pytest.approx(8.5, abs=0.5)


def test_a_pace_that_leaves_no_time_is_why() -> None:
    pacing = ShardPacing([ALL_KEYS], bytes_per_second=1_000)
    one, _ = publisher(MemoryStream(), seconds=3, pacing=pacing)
    one.put([record(0, 10_000)])

    result = one.put([record(0, 10)])

    assert len(result.left) == 1
    assert result.why == "the stream's pace left no time"


def test_a_throttled_shard_makes_it_look_at_the_shards_again() -> None:
    halves = (HashRange(0, 4), HashRange(5, 9))
    stream = FaultyStream(faults=["throttled"], shards=halves)
    pacing = ShardPacing([ALL_KEYS], bytes_per_second=1_000)
    one, _ = publisher(stream, pacing=pacing)

    result = one.put([record(0)])

    assert len(result.entered) == 1
    pacing.spend("0", 100_000, now=0.0)
    assert pacing.wait_seconds(["7"], now=1_000_000.0) == 0


def test_groups_hold_a_lane_once_and_keep_its_order() -> None:
    records = [record(0, line=1), record(1, line=2), record(0, line=3), record(0, line=4)]

    groups = [[(r.hash_key, r.line) for r in group] for group in one_per_lane(records)]

    assert groups == [[("0", 1), ("1", 2)], [("0", 3)], [("0", 4)]]
