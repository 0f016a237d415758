"""Putting aggregates on the stream: each lane in order, the lanes in parallel.

Kinesis promises increasing sequence numbers only to consecutive PutRecord calls, each with the
number of the record before it. So one record of a lane is under way at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, replace

from orders.aggregate import Aggregate
from producer_lambda.run_deadline import Deadline
from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.stream import (
    OrderingRefused,
    RecordStream,
    StreamThrottled,
    StreamUnavailable,
)

PUTS_AT_ONCE = 16
"""Lanes written to at the same time: more than most streams have shards."""

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0
_UNORDERED_WAIT_SECONDS = 1.0
"""Time between two records of a lane that are ordered only by their arrival."""


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """A record to put, and the sequence number of its lane's last one (empty: not known)."""

    aggregate: Aggregate
    after: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """A record that is on the stream, and its sequence number."""

    aggregate: Aggregate
    sequence_number: str


@dataclass(frozen=True, slots=True)
class PutResult:
    """The records that are on the stream, those that are not, and why."""

    entered: Sequence[Entered]
    left: Sequence[PendingRecord]
    why: str = ""


class Publisher:
    """Puts records until they are on the stream or time is over."""

    def __init__(
        self,
        stream: RecordStream,
        pacing: ShardPacing | None,
        deadline: Deadline,
        *,
        executor: Executor,
        jitter: Callable[[], float],
    ) -> None:
        """`executor` runs the puts of different lanes; `jitter` returns numbers from 0 to 1."""
        self._stream = stream
        self._pacing = pacing
        self._deadline = deadline
        self._executor = executor
        self._jitter = jitter

    def put(self, puts: Sequence[PendingRecord]) -> PutResult:
        """Put records of different lanes. Raises StreamRefused.

        A record whose result is unknown is put again: the consumer skips repeats.
        """
        left, entered, why = list(puts), list[Entered](), ""
        wait_seconds, failures = 0.0, 0
        while left:
            under_way, late = self._start(left, wait_seconds)
            wait([future for _, future in under_way])
            failed, wait_seconds, is_throttled = list[PendingRecord](), 0.0, False
            for put, future in under_way:
                try:
                    entered.append(Entered(put.aggregate, future.result()))
                except OrderingRefused as error:
                    failed.append(replace(put, after=""))
                    why, wait_seconds = str(error), _UNORDERED_WAIT_SECONDS
                except StreamUnavailable as error:
                    failed.append(put)
                    why = str(error)
                    is_throttled = is_throttled or isinstance(error, StreamThrottled)
            left = failed + late
            if late:
                return PutResult(entered, left, why or "the stream's pace left no time")
            if is_throttled:
                self._follow_shards()
            failures += 1
            wait_seconds = max(wait_seconds, self._back_off_seconds(failures))
        return PutResult(entered, left)

    def _start(
        self, puts: Sequence[PendingRecord], wait_seconds: float
    ) -> tuple[list[tuple[PendingRecord, Future[str]]], list[PendingRecord]]:
        """Start each put when its shard may be written to; also returns those that are too late."""
        clock = self._deadline.clock
        begin_at = clock.monotonic() + wait_seconds
        under_way: list[tuple[PendingRecord, Future[str]]] = []
        late: list[PendingRecord] = []
        starts = [(self._reserve(put.aggregate, begin_at), put) for put in puts]
        for start_at, put in sorted(starts, key=lambda start: start[0]):
            ahead_seconds = start_at - clock.monotonic()
            if ahead_seconds >= self._deadline.left_seconds():
                late.append(put)
                continue
            if ahead_seconds > 0:
                clock.sleep(ahead_seconds)
            future = self._executor.submit(self._stream.put, put.aggregate, after=put.after)
            under_way.append((put, future))
        return under_way, late

    def _reserve(self, aggregate: Aggregate, begin_at: float) -> float:
        """When the record may be put; reserves its shard for it."""
        if self._pacing is None:
            return begin_at
        key = aggregate.hash_key
        start_at = begin_at + self._pacing.wait_seconds(key, now=begin_at)
        size = len(aggregate.payload) + len(aggregate.partition_key)
        self._pacing.spend(key, size, now=start_at)
        return start_at

    def _follow_shards(self) -> None:
        if self._pacing:
            try:
                self._pacing.follow(self._stream.open_shards())
            except StreamUnavailable:
                return  # the next throttled put tries again

    def _back_off_seconds(self, failures: int) -> float:
        longest = min(_FIRST_WAIT_SECONDS * 2.0 ** (failures - 1), _LONGEST_WAIT_SECONDS)
        return longest * (1 + self._jitter()) / 2


def one_per_lane(aggregates: Sequence[Aggregate]) -> Iterator[list[Aggregate]]:
    """Groups in which no lane occurs twice; over the groups each lane keeps its order."""
    groups: list[list[Aggregate]] = []
    depth: dict[str, int] = {}
    for aggregate in aggregates:
        index = depth.get(aggregate.partition_key, 0)
        depth[aggregate.partition_key] = index + 1
        if index == len(groups):
            groups.append([])
        groups[index].append(aggregate)
    yield from groups
