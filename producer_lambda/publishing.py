"""How do aggregates get on the stream, each lane in order and the lanes side by side?

Kinesis promises increasing sequence numbers only to PutRecord calls one after the other, each with
the number of the record before it. So one record of a lane is under way at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, replace

from orders.aggregate import Aggregate
from producer_lambda.clock import Deadline
from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.stream import (
    OrderingRefused,
    RecordStream,
    StreamThrottled,
    StreamUnavailable,
)

PUTS_AT_ONCE = 16
"""Lanes that are written to at the same time: more than the shards of most streams."""

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0
_UNORDERED_WAIT_SECONDS = 1.0
"""Time between two records of a lane that only their arrival orders."""


@dataclass(frozen=True, slots=True)
class Put:
    """A record to be put, and the sequence number of its lane's last one (empty: not known)."""

    aggregate: Aggregate
    after: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """A record that is on the stream for certain, and its sequence number."""

    aggregate: Aggregate
    sequence_number: str


@dataclass(frozen=True, slots=True)
class PutResult:
    """Which records are on the stream for certain, and what kept the others off it."""

    entered: Sequence[Entered]
    left: Sequence[Put]
    why: str = ""


class Publisher:
    """Puts records until they are in or time is over."""

    def __init__(
        self,
        stream: RecordStream,
        pacing: ShardPacing | None,
        deadline: Deadline,
        *,
        executor: Executor,
        jitter: Callable[[], float],
    ) -> None:
        """`executor` runs the puts of different lanes, `jitter` gives numbers from 0 to 1.

        Without pacing only Kinesis itself limits.
        """
        self._stream = stream
        self._pacing = pacing
        self._deadline = deadline
        self._executor = executor
        self._jitter = jitter

    def put(self, puts: Sequence[Put]) -> PutResult:
        """Put records of lanes that are all different. Raises StreamRefused.

        A record whose fate is not known is put again: the consumer skips repeats.
        """
        left, entered, why = list(puts), list[Entered](), ""
        wait_seconds, failures = 0.0, 0
        while left:
            under_way, late = self._start(left, wait_seconds)
            wait([future for _, future in under_way])
            failed, wait_seconds, is_throttled = list[Put](), 0.0, False
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
        self, puts: Sequence[Put], wait_seconds: float
    ) -> tuple[list[tuple[Put, Future[str]]], list[Put]]:
        """Hand out each put when its shard may be written to; also those that come too late."""
        clock = self._deadline.clock
        begin_at = clock.monotonic() + wait_seconds
        under_way: list[tuple[Put, Future[str]]] = []
        late: list[Put] = []
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
        """When the record may be put; its shard is spoken for."""
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
                return  # the next throttled put looks again

    def _back_off_seconds(self, failures: int) -> float:
        longest = min(_FIRST_WAIT_SECONDS * 2.0 ** (failures - 1), _LONGEST_WAIT_SECONDS)
        return longest * (1 + self._jitter()) / 2


def one_per_lane(aggregates: Sequence[Aggregate]) -> Iterator[list[Aggregate]]:
    """Groups in which no lane occurs twice, each lane in the given order over the groups."""
    groups: list[list[Aggregate]] = []
    depth: dict[str, int] = {}
    for aggregate in aggregates:
        index = depth.get(aggregate.partition_key, 0)
        depth[aggregate.partition_key] = index + 1
        if index == len(groups):
            groups.append([])
        groups[index].append(aggregate)
    yield from groups
