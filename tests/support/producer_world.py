"""What surrounds the producer, in memory: a bucket, a stream with faults, a clock, a consumer."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from hashlib import md5
from threading import Lock
from typing import Any, ParamSpec, TypeVar, cast

from aws_kinesis_agg.deaggregator import messages_pb2

from ledger.memory.ledger import MemoryLedger
from ledger.uploads.duplicate import Duplicates
from ledger.uploads.upload import Account, Source
from orders.aggregate import MAGIC, Aggregate
from orders.envelope import EndMarker, OrderEnvelope, decode
from orders.file_reading import ReadingLimits
from orders.id_hashes import Hashes
from orders.id_parts import IdPart, read_id_part
from orders.invalid_report import read_report_parts, report_folder
from orders.rate import Rate
from orders.upload import UploadId, upload_id
from producer_lambda.dependencies import Dependencies, RunSettings
from producer_lambda.object_store import SourceLost
from producer_lambda.publishing import PendingRecord
from producer_lambda.run_deadline import Deadline
from producer_lambda.stream import (
    HashRange,
    OrderingRefused,
    StreamThrottled,
    StreamUnavailable,
)
from producer_lambda.upload_requests import UploadRequest
from producer_lambda.upload_run import RunEnd, run_upload

P = ParamSpec("P")
T = TypeVar("T")

BUCKET = "bucket"
ALL_KEYS = HashRange(0, (1 << 128) - 1)
DIGEST_BYTES = 16
NUMBERS_APART = 1 << 256


class Killed(BaseException):
    """The process died here; no product code may catch it."""


class HeldClock:
    """Time that passes only by sleeping, and by `tick_seconds` at each look."""

    def __init__(self, tick_seconds: float = 0.0) -> None:
        self.now = 1_000.0
        self.tick_seconds = tick_seconds

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        self.now += self.tick_seconds
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


class InlineExecutor(Executor):
    """Does the work at once, in the caller's thread: the same steps in the same order each time."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it comes out of the future, as from a thread
            future.set_exception(error)
        return future


@dataclass
class MemoryBucket:
    """An ObjectStore."""

    objects: dict[str, bytes] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)
    chunk_bytes: int = 64
    lost: str = ""

    def open_at(self, source: Source, offset: int) -> Iterator[bytes]:
        if self.lost or source.key not in self.objects:
            raise SourceLost(self.lost or "the object is gone from the bucket")
        content = self.objects[source.key]
        for start in range(offset, len(content), self.chunk_bytes):
            yield content[start : start + self.chunk_bytes]

    def put_report(self, bucket: str, key: str, part: bytes) -> None:
        assert bucket == BUCKET
        assert self.reports.get(key, part) == part, "what a part holds follows from its name"
        self.reports[key] = part


@dataclass
class MemoryIdParts:
    """An IdPartStore; what is stored last comes first."""

    contents: dict[IdPart, bytes] = field(default_factory=dict)

    def put_id_part(self, part: IdPart, content: bytes) -> None:
        assert self.contents.get(part, content) == content, "what a part holds follows from its key"
        self.contents[part] = content

    def id_parts(self) -> Sequence[IdPart]:
        return list(reversed(self.contents))

    def read_id_parts(self, parts: Sequence[IdPart]) -> Iterator[Hashes]:
        return (read_id_part(self.contents.get(part, b"")) for part in parts)


@dataclass
class MemoryStream:
    """A RecordStream that promises what Kinesis promises, and no more.

    A record comes behind the one whose number is its `after`. Apart from that, records are ordered
    coarsely: it comes before the `coarse` last ones where it may.
    """

    records: list[Aggregate] = field(default_factory=list)
    puts: list[PendingRecord] = field(default_factory=list)
    shards: Sequence[HashRange] = (ALL_KEYS,)
    coarse: int = 3
    numbers: list[int] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def put(self, aggregate: Aggregate, *, after: str) -> str:
        with self.lock:
            self.puts.append(PendingRecord(aggregate, after))
            return self.place(aggregate, after)

    def place(self, aggregate: Aggregate, after: str) -> str:
        """Give the record its place, as early as may be; its number."""
        behind = bisect_right(self.numbers, int(after)) if after else 0
        at = max(behind, self.first_place(), len(self.records) - self.coarse)
        before = self.numbers[at - 1] if at else 0
        beyond = self.numbers[at] if at < len(self.numbers) else before + 2 * NUMBERS_APART
        number = before + (beyond - before) // 16
        assert before < number < beyond, "no number left between two records"
        self.records.insert(at, aggregate)
        self.numbers.insert(at, number)
        return str(number)

    def first_place(self) -> int:
        """How many records have a place for good."""
        return 0

    def open_shards(self) -> Sequence[HashRange]:
        return self.shards


@dataclass
class FaultyStream(MemoryStream):
    """Fails as told, one fault a put, then never again.

    `none`: it does not fail. `lost`: it did nothing. `throttled`: it was too much. `unknown`: it
    took effect and the answer was lost. `late`: it takes effect only after the next put.
    `split`: the shard was split, so that what is there stays where it is and its numbers are
    refused.
    """

    faults: list[str] = field(default_factory=list)
    late: list[PendingRecord] = field(default_factory=list)
    in_parent: int = 0

    def put(self, aggregate: Aggregate, *, after: str) -> str:
        with self.lock:
            fault = self.faults.pop(0) if self.faults else "none"
            self.puts.append(PendingRecord(aggregate, after))
            if fault == "lost":
                raise StreamUnavailable("no answer")
            if fault == "throttled":
                raise StreamThrottled("too fast")
            if fault == "late":
                self.late.append(PendingRecord(aggregate, after))
                raise StreamUnavailable("no answer yet")
            if fault == "split":
                self.in_parent = len(self.records)
            if self._is_of_parent(after):
                raise OrderingRefused("the number is invalid")
            number = self.place(aggregate, after)
            self._land()
            if fault == "unknown":
                raise StreamUnavailable("the answer was lost")
            return number

    def first_place(self) -> int:
        return self.in_parent

    def _land(self) -> None:
        landing, self.late = self.late, []
        for put in landing:
            if not self._is_of_parent(put.after):
                self.place(put.aggregate, put.after)

    def _is_of_parent(self, after: str) -> bool:
        return bool(after and self.in_parent) and int(after) <= self.numbers[self.in_parent - 1]


def kill() -> None:
    """Die here."""
    raise Killed


class Fuse:
    """Burns down with every call of the things it guards; then something happens, once."""

    def __init__(
        self,
        calls_left: int | None = None,
        *,
        is_after: bool = False,
        happens: Callable[[], None] = kill,
        only: str = "",
    ) -> None:
        """`happens` before the call after `calls_left` others takes effect, or after it did.

        only: the name of the method whose calls count; all do where it is empty.
        """
        self.calls_left = calls_left
        self.is_after = is_after
        self.happens = happens
        self.only = only

    def guard(self, inner: T) -> T:
        """The same thing, every method of which burns the fuse."""
        fuse = self

        class Guarded:
            def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for any method
                value = getattr(inner, name)
                counts = callable(value) and fuse.only in ("", name)
                return fuse.around(value) if counts else value

        return cast("T", Guarded())

    def around(self, call: Callable[P, T]) -> Callable[P, T]:
        """The call, with what happens when the fuse is down."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            is_down = self.calls_left == 0
            if self.calls_left is not None:
                self.calls_left -= 1
            if is_down and not self.is_after:
                self.happens()
            result = call(*args, **kwargs)
            if is_down and self.is_after:
                self.happens()
            return result

        return guarded


@dataclass
class World:
    """Everything outside, and a run of the producer in it."""

    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    id_parts: MemoryIdParts = field(default_factory=MemoryIdParts)
    stream: MemoryStream = field(default_factory=MemoryStream)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: HeldClock = field(default_factory=HeldClock)
    executor: Executor = field(default_factory=InlineExecutor)
    putters: Executor = field(default_factory=InlineExecutor)
    lanes: int = 1
    aggregate_bytes: int = 1_000
    longest_bytes: int = 1_000
    shard_bytes_per_second: int | None = None
    retention_hours: float = 24.0
    rate: Rate | None = None
    duplicates: Duplicates = Duplicates.WARN
    handed_on: list[UploadId] = field(default_factory=list)
    tokens: int = 0

    def store(self, content: bytes, key: str = "uploads/orders.jsonl") -> UploadRequest:
        """Put a file into the bucket; returns its event."""
        self.bucket.objects[key] = content
        etag = md5(content, usedforsecurity=False).hexdigest()  # as S3 makes it
        source = Source(BUCKET, key, "v1", etag, len(content))
        return UploadRequest(upload_id(BUCKET, key, "v1"), source)

    def run(
        self, request: UploadRequest, *, seconds: float = 1e9, fuse: Fuse | None = None
    ) -> RunEnd:
        """One run, with so much time."""
        guard = (fuse or Fuse()).guard
        ledger = guard(self.ledger)
        dependencies = Dependencies(
            ledger=ledger,
            pace=ledger,
            store=guard(self.bucket),
            id_parts=guard(self.id_parts),
            stream=guard(self.stream),
            clock=self.clock,
            enqueue_thread=self.executor,
            put_threads=self.putters,
            hand_on=self.handed_on.append,
            new_token=self._new_token,
            jitter=lambda: 0.5,
        )
        return run_upload(
            request, dependencies, self.plan(), Deadline(self.clock, self.clock.now + seconds)
        )

    def run_until_read(self, request: UploadRequest, *, seconds: float = 1e9) -> int:
        """Run again as the queue would; returns the number of runs."""
        runs = 1
        while self.run(request, seconds=seconds) is RunEnd.HANDED_ON:
            request = UploadRequest(self.handed_on.pop())
            runs += 1
            assert runs < 10_000
        return runs

    def plan(self) -> RunSettings:
        """How uploads are read here."""
        return RunSettings(
            lanes=self.lanes,
            aggregate_bytes=self.aggregate_bytes,
            limits=ReadingLimits(self.longest_bytes),
            shard_bytes_per_second=self.shard_bytes_per_second,
            retention_hours=self.retention_hours,
            rate=self.rate,
            report_prefix="reports/",
            duplicates=self.duplicates,
        )

    def account(self, request: UploadRequest) -> Account:
        """The upload in the ledger."""
        account = self.ledger.read_account(request.upload)
        assert account is not None
        return account

    def reported(self, request: UploadRequest) -> dict[int, str]:
        """The invalid lines of the report, with their reasons."""
        folder = report_folder("reports/", request.upload)
        parts = [part for key, part in sorted(self.bucket.reports.items()) if folder in key]
        return {one.line: one.reason for one in read_report_parts(parts)}

    def _new_token(self) -> str:
        self.tokens += 1
        return f"run {self.tokens}"


@dataclass
class Seen:
    """What a consumer makes of the stream: each order once, in the order of its lane."""

    orders: dict[tuple[UploadId, int], list[OrderEnvelope]] = field(default_factory=dict)
    ends: dict[tuple[UploadId, int], EndMarker] = field(default_factory=dict)
    repeats: int = 0

    @property
    def bodies(self) -> dict[int, bytes]:
        """Bodies by line, of all lanes."""
        return {one.line: one.body for lane in self.orders.values() for one in lane}


def consume(records: Sequence[Aggregate]) -> Seen:
    """Take every record as the consumer does; a gap, a strange record or disorder is an error."""
    seen = Seen()
    for record in records:
        for partition_key, hash_key, content in taken_apart(record.payload):
            assert hash_key == record.hash_key
            envelope = decode(partition_key, content)
            assert isinstance(envelope, OrderEnvelope | EndMarker), envelope
            lane = seen.orders.setdefault((envelope.upload, envelope.lane), [])
            last = lane[-1] if lane else None
            assert envelope.prev <= (last.line if last else 0), "a gap in the lane"
            if isinstance(envelope, EndMarker):
                assert envelope.ordinal == len(lane)
                seen.ends[envelope.upload, envelope.lane] = envelope
            elif last and envelope.line <= last.line:
                seen.repeats += 1
                at = bisect_left(lane, envelope.line, key=lambda one: one.line)
                assert envelope == lane[at], "a repeat that is not the same order"
            else:
                assert envelope.ordinal == len(lane) + 1
                lane.append(envelope)
    return seen


def taken_apart(payload: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Partition key, explicit hash key and content of each record of an aggregate."""
    assert payload.startswith(MAGIC)
    message = messages_pb2.AggregatedRecord()
    message.ParseFromString(payload[len(MAGIC) : -DIGEST_BYTES])
    for record in message.records:
        yield (
            message.partition_key_table[record.partition_key_index],
            message.explicit_hash_key_table[record.explicit_hash_key_index],
            record.data,
        )


def order_line(number: int, **fields: object) -> bytes:
    """A valid JSON line."""
    order = {
        "order_id": f"order-{number}",
        "customer_id": "customer",
        "sku": "sku",
        "quantity": 1,
        "unit_price": "9.99",
        "currency": "EUR",
    }
    return json.dumps(order | fields).encode()
