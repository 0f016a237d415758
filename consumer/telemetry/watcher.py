"""The threads that keep looking at ledger, clock and processes."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from consumer.adapters.end_markers import KinesisEndMarkers
from consumer.closing.closer import Closer
from consumer.delivery.events import LedgerFailed
from consumer.ending import die
from consumer.run_folder import RunFolder, ShardFile
from consumer.settings import ConsumerSettings
from consumer.telemetry import catalogue
from consumer.telemetry.dead_letter_queue import count_intake_dead_letters
from consumer.telemetry.exposition import Exposition
from consumer.telemetry.ledger_watch import LedgerWatch
from consumer.telemetry.sink import Sink, counter
from consumer.telemetry.skew import SkewWatch
from consumer.telemetry.snapshot import LedgerSnapshot, Rare, Snapshot
from consumer.telemetry.stream_retention import StreamRetention
from consumer.telemetry.worker_view import WorkerView
from consumer.threads import start_thread
from ledger.dynamodb.ledger import DynamoLedger
from ledger.errors import LedgerError
from ledger.report import LISTED_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LOOK_SECONDS = 1.0
LOOK_SECONDS_MAX = 15.0
RARE_SECONDS = 5.0
_PATIENT = Config(connect_timeout=1.0, read_timeout=2.0, retries={"total_max_attempts": 2})

log = logging.getLogger(__name__)


class Watcher:
    """Keeps the newest snapshot, in threads of its own."""

    def __init__(
        self,
        settings: ConsumerSettings,
        folder: RunFolder,
        worker: Callable[[], WorkerView],
        is_alive: Callable[[int], bool],
    ) -> None:
        """`worker` returns the worker's present state; `is_alive` looks a process id up."""
        self.exposition = Exposition(folder.metrics)
        self._settings = settings
        self._folder = folder
        self._worker = worker
        self._is_alive = is_alive
        self._ended = threading.Event()
        self._ledger: LedgerSnapshot | None = None
        self._trouble = "the ledger has not been read yet"
        self._folder_trouble = ""
        self._rare = Rare()
        self._skew = SkewWatch(time.time)
        self._observe = Sink()
        self._restarts = counter(catalogue.DAEMON_RESTARTS)
        self._lease_changes = counter(catalogue.LEASE_CHANGES)
        self._leases: frozenset[tuple[str, int]] = frozenset()
        self._starts_counted = 1

        self._threads = [
            start_thread("watch", self._look_often, fail=die),
            start_thread("watch-rarely", self._look_rarely, fail=die),
        ]

    def stop(self) -> None:
        """Stop looking."""
        self._ended.set()

    def lives(self) -> bool:
        """Do all threads still run?"""
        return all(thread.is_alive() for thread in self._threads)

    def snapshot(self) -> Snapshot:
        """What is known now; any thread may ask."""
        return Snapshot(
            at=time.time(),
            monotonic=time.monotonic(),
            worker=self._worker(),
            shards=self._living_shards(),
            ledger=self._ledger,
            trouble=self._trouble,
            skew_seconds=self._skew.skew_seconds,
            folder_trouble=self._folder_trouble,
            rare=self._rare,
        )

    def _living_shards(self) -> tuple[ShardFile, ...]:
        return tuple(shard for shard in self._folder.shards() if self._is_alive(shard.pid))

    def _look_often(self) -> None:
        session = boto3.session.Session()
        client = session.client("dynamodb", config=_PATIENT)
        self._skew.listen(client.meta.events, "dynamodb")
        ledger = DynamoLedger(client, self._settings.ledger_table)
        retention = StreamRetention(
            session.client("kinesis", config=_PATIENT),
            self._settings.stream,
            told_hours=self._settings.retention_hours,
        )
        watch = LedgerWatch(ledger, retention_seconds=lambda: retention.seconds(time.monotonic()))
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                self._ledger = watch.look()
                self._trouble = ""
            except LedgerError as error:
                self._trouble = f"{error}; {error.hint}"
                self._observe(LedgerFailed("look", str(error)))
            trouble = self._folder.trouble()
            if trouble and not self._folder_trouble:
                log.error("%s; shard processes cannot report their state", trouble)
            self._folder_trouble = trouble
            self._count_changes()
            # With many open uploads a look takes long: then the pauses become longer, too.
            took = time.monotonic() - began
            pause_seconds = min(max(LOOK_SECONDS, 2 * took), LOOK_SECONDS_MAX) - took
            self._ended.wait(max(0.0, pause_seconds))

    def _count_changes(self) -> None:
        starts = self._worker().starts
        if starts > self._starts_counted:
            self._restarts.inc(starts - self._starts_counted)
            self._starts_counted = starts
        leases = frozenset((shard.shard, shard.pid) for shard in self._living_shards())
        if leases != self._leases:
            self._lease_changes.inc(len(leases ^ self._leases))
            self._leases = leases
            self.exposition.fold(self._is_alive)

    def _look_rarely(self) -> None:
        session = boto3.session.Session()
        client = session.client("dynamodb", config=_PATIENT)
        ledger = DynamoLedger(client, self._settings.ledger_table)
        sqs = session.client("sqs", config=_PATIENT)
        markers = KinesisEndMarkers(
            session.client("kinesis", config=_PATIENT), self._settings.stream
        )
        closer = Closer(ledger, markers, clock=time.time, monotonic=time.monotonic)
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                ended = tuple(ledger.ended_accounts(since=time.time() - LISTED_SECONDS))
                self._rare = Rare(ended, self._intake(sqs))
            except LedgerError as error:
                self._observe(LedgerFailed("look at ended uploads", str(error)))
            try:
                if self._ledger:
                    closer.look(self._ledger.open_accounts)
            except LedgerError as error:
                self._observe(LedgerFailed("close uploads without progress", str(error)))
            took = time.monotonic() - began
            self._ended.wait(max(RARE_SECONDS, 20 * took))

    def _intake(self, sqs: "SQSClient") -> int | None:
        if not self._settings.intake_queue_url:
            return None
        try:
            return count_intake_dead_letters(sqs, self._settings.intake_queue_url)
        except (BotoCoreError, ClientError) as error:
            log.warning("the intake's dead-letter queue cannot be counted: %s", error)
            return None
