"""What a run of an upload is given: everything outside of it, and its settings."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from ledger.earlier_upload import DuplicateLedger
from ledger.id_search import IdPartStore
from ledger.ports.pace import PaceStore
from ledger.uploads.duplicate import Duplicates
from orders.file_reading import ReadingLimits
from orders.rate import Rate
from orders.upload import UploadId
from producer_lambda.object_store import ObjectStore
from producer_lambda.run_deadline import TimeSource
from producer_lambda.stream import RecordStream


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a run touches outside of itself.

    enqueue_thread: one thread, beside which the file is read on. put_threads: they put records.
    hand_on: asks for another run of the upload. new_token: a text that no other run has.
    jitter: random numbers from 0 to 1.
    """

    ledger: DuplicateLedger
    pace: PaceStore
    store: ObjectStore
    id_parts: IdPartStore
    stream: RecordStream
    clock: TimeSource
    enqueue_thread: Executor
    put_threads: Executor
    hand_on: Callable[[UploadId], None]
    new_token: Callable[[], str]
    jitter: Callable[[], float]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How uploads are read; ProducerSettings describes each."""

    lanes: int
    aggregate_bytes: int
    limits: ReadingLimits
    shard_bytes_per_second: int | None
    retention_hours: float
    rate: Rate | None
    report_prefix: str
    duplicates: Duplicates = Duplicates.WARN
