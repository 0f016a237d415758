"""How do aggregates get on the stream, each lane in order, through partial failures?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from orders.aggregate import Aggregate
from producer_lambda.clock import Deadline
from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.stream import RecordStream, StreamUnavailable

CALL_RECORDS = 500
CALL_BYTES = 10 * 1024 * 1024
"""Limits of one PutRecords call; the bytes are those of payloads and partition keys."""

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0
_THROTTLED = "ProvisionedThroughputExceededException"


@dataclass(frozen=True, slots=True)
class PutResult:
    """Which records are on the stream for certain, and what kept the others off it."""

    entered: Sequence[Aggregate]
    left: Sequence[Aggregate]
    why: str = ""


class Publisher:
    """Puts records until they are in or time is over."""

    def __init__(
        self,
        stream: RecordStream,
        pacing: ShardPacing | None,
        deadline: Deadline,
        *,
        jitter: Callable[[], float],
    ) -> None:
        """`jitter` gives numbers from 0 to 1; without pacing only Kinesis itself limits."""
        self._stream = stream
        self._pacing = pacing
        self._deadline = deadline
        self._jitter = jitter

    def put(self, aggregates: Sequence[Aggregate]) -> PutResult:
        """Put records of lanes that are all different, so that trying one again keeps its order.

        An entry that failed, or a call whose outcome is not known, is put again: the consumer
        skips repeats. Raises StreamRefused.
        """
        left, entered, why = list(aggregates), list[Aggregate](), ""
        wait_seconds, failures = 0.0, 0
        while left:
            wait_seconds = max(wait_seconds, self._pacing_wait_seconds(left))
            if wait_seconds >= self._deadline.left_seconds():
                return PutResult(entered, left, why or "the stream's pace left no time")
            if wait_seconds:
                self._deadline.clock.sleep(wait_seconds)
            failed: list[Aggregate] = []
            for call in _calls(left):
                errors = self._call(call)
                for aggregate, error in zip(call, errors, strict=True):
                    (failed if error else entered).append(aggregate)
                    why = error or why
            left = failed
            failures += 1
            wait_seconds = self._back_off_seconds(failures)
        return PutResult(entered, left)

    def _call(self, call: Sequence[Aggregate]) -> Sequence[str | None]:
        now = self._deadline.clock.monotonic()
        if self._pacing:
            for aggregate in call:
                self._pacing.spend(aggregate.hash_key, _size(aggregate), now=now)
        try:
            errors = self._stream.put(call)
            if self._pacing and any(error == _THROTTLED for error in errors):
                self._pacing.follow(self._stream.open_shards())
        except StreamUnavailable as error:
            return [str(error)] * len(call)
        return errors

    def _pacing_wait_seconds(self, aggregates: Sequence[Aggregate]) -> float:
        if self._pacing is None:
            return 0.0
        keys = [aggregate.hash_key for aggregate in aggregates]
        return self._pacing.wait_seconds(keys, now=self._deadline.clock.monotonic())

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


def _calls(aggregates: Sequence[Aggregate]) -> Iterator[list[Aggregate]]:
    call: list[Aggregate] = []
    call_bytes = 0
    for aggregate in aggregates:
        size = _size(aggregate)
        if call and (len(call) == CALL_RECORDS or call_bytes + size > CALL_BYTES):
            yield call
            call, call_bytes = [], 0
        call.append(aggregate)
        call_bytes += size
    if call:
        yield call


def _size(aggregate: Aggregate) -> int:
    return len(aggregate.payload) + len(aggregate.partition_key)
