"""What does one run do for one upload, from the ledger's first word to its last?"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from enum import Enum

from ledger.errors import upload_missing
from ledger.ports.pace import PaceStore
from ledger.ports.uploads import UploadLedger
from ledger.uploads.upload import Progress, Upload, UploadState
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import Format, SourceUnreadable, format_of
from orders.parsed_lines import FilePosition, ParsedLines
from orders.rate import Rate
from orders.upload import UploadId
from producer_lambda.admission import Refusal, decide, estimate_orders, take_sample
from producer_lambda.clock import Clock, Deadline
from producer_lambda.enqueuing import Enqueuer, Halt
from producer_lambda.packing import Packing
from producer_lambda.publishing import Publisher
from producer_lambda.reading import Reader
from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.source import ObjectStore, SourceLost
from producer_lambda.stream import RecordStream
from producer_lambda.upload_requests import Arrived, UploadRequest


class RunEnd(Enum):
    """How a run ended; how the upload ended stands in the ledger."""

    FINISHED = "reading is complete"
    NOTHING_TO_DO = "reading was complete before"
    SUPERSEDED = "another run took the upload over"
    HANDED_ON = "the rest is for the next run"


class NoProgress(Exception):
    """A whole run brought an upload no further, so the next one waits for the queue's time-out."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a run touches outside of itself.

    executor: one thread, beside which the file is read on. putters: the threads that put records.
    hand_on: asks for another run of the upload. new_token: a text that no other run has.
    """

    ledger: UploadLedger
    pace: PaceStore
    store: ObjectStore
    stream: RecordStream
    clock: Clock
    executor: Executor
    putters: Executor
    hand_on: Callable[[UploadId], None]
    new_token: Callable[[], str]
    jitter: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How uploads are read; ProducerSettings describes each."""

    lanes: int
    aggregate_bytes: int
    limits: ReadingLimits
    shard_bytes_per_second: int | None
    retention_hours: float
    rate: Rate | None
    report_prefix: str


def run_upload(request: UploadRequest, outside: Outside, plan: Plan, deadline: Deadline) -> RunEnd:
    """Read an upload on from where the last run came to, until its end or the deadline.

    Raises LedgerError, StreamRefused, NoProgress, and errors of the bucket that are no SourceLost:
    the message must then come back.
    """
    ledger, now = outside.ledger, outside.clock.epoch()
    if isinstance(request, Arrived):
        ledger.announce(request.upload, request.source, now=now)
    elif ledger.read_account(request.upload) is None:
        raise upload_missing(request.upload)
    upload = ledger.start_run(request.upload, token=outside.new_token(), lanes=plan.lanes, now=now)
    if upload.read_complete:
        return RunEnd.NOTHING_TO_DO
    return _Run(upload, outside, plan, deadline).go()


class _Run:
    """One run of one upload that is not complete yet."""

    def __init__(self, upload: Upload, outside: Outside, plan: Plan, deadline: Deadline) -> None:
        self._upload = upload
        self._outside = outside
        self._plan = plan
        self._deadline = deadline
        publisher = Publisher(
            outside.stream,
            self._pacing(),
            deadline,
            executor=outside.putters,
            jitter=outside.jitter,
        )
        self._enqueuer = Enqueuer(
            upload,
            ledger=outside.ledger,
            store=outside.store,
            publisher=publisher,
            clock=outside.clock,
            report_prefix=plan.report_prefix,
        )

    def go(self) -> RunEnd:
        """Read to the end, or as far as may be."""
        if self._upload.state is UploadState.CANCELLED:
            return self._end_cancelled()
        reader = Reader(
            self._upload,
            self._enqueuer,
            executor=self._outside.executor,
            aggregate_bytes=self._plan.aggregate_bytes,
        )
        state, reason = UploadState.SENDING, ""
        try:
            form = format_of(self._upload.source.key)
            entry = self._entry(form)
            if isinstance(entry, Refusal):
                return self._end(UploadState.REFUSED_ADMISSION, entry.sentence)
            halt = entry or reader.read(self._batches(form), self._deadline)
        except SourceUnreadable as error:
            halt, state, reason = None, UploadState.UNREADABLE, _sentence(error)
        except SourceLost as error:
            halt, state = None, UploadState.SOURCE_LOST
            reason = f"{error.reason}; orders read before that are sent"
        if halt is None and state is UploadState.SENDING and not reader.orders:
            state = UploadState.DONE_WITH_PROBLEMS if reader.invalid else UploadState.DONE
        if halt is None:
            halt = reader.finish(is_end=state not in _NOTHING_ENQUEUED)
        return self._end(state, reason) if halt is None else self._stop(halt)

    def _entry(self, form: Format) -> Refusal | Halt | None:
        """Decide on admission: once, and in the ledger before the first put. None: it is let in.

        A run that died before the decision was stored put nothing, so the next one may ask again.
        """
        upload, ledger, clock = self._upload, self._outside.ledger, self._outside.clock
        if upload.admitted or _has_progress(upload):
            return None
        sample = take_sample(self._outside.store.open_at(upload.source, 0))
        estimate = estimate_orders(sample, upload.source.size_bytes, form)
        # The estimate first, then the sum: of two uploads at once each sees the other.
        is_ours = ledger.write_estimate(
            upload.id, token=upload.run_token, estimate=estimate, now=clock.epoch()
        )
        if not is_ours:
            return Halt.SUPERSEDED
        rate = self._outside.pace.read_pace().rate(clock.epoch()) or self._plan.rate
        accounts = {account.upload.id: account for account in ledger.open_accounts()}
        if upload.id not in accounts and (own := ledger.read_account(upload.id)):
            accounts[upload.id] = own  # the index of open uploads may be a moment late
        refusal = decide(
            accounts.values(),
            rate=rate,
            retention_hours=self._plan.retention_hours,
            own=estimate,
        )
        if refusal:
            return refusal
        state = ledger.admit(upload.id, token=upload.run_token, now=clock.epoch())
        if state is None:
            return Halt.SUPERSEDED
        return Halt.CANCELLED if state is UploadState.CANCELLED else None

    def _batches(self, form: Format) -> Iterator[ParsedLines]:
        upload, store = self._upload, self._outside.store
        start = FilePosition(upload.progress.offset, upload.progress.line)
        return parse_file(
            lambda offset: store.open_at(upload.source, offset), form, start, self._plan.limits
        )

    def _end(self, state: UploadState, reason: str) -> RunEnd:
        is_ours = self._outside.ledger.finish_reading(
            self._upload.id,
            token=self._upload.run_token,
            progress=self._enqueuer.progress(),
            state=state,
            reason=reason,
            now=self._outside.clock.epoch(),
        )
        return RunEnd.FINISHED if is_ours else RunEnd.SUPERSEDED

    def _stop(self, halt: Halt) -> RunEnd:
        match halt:
            case Halt.SUPERSEDED:
                return RunEnd.SUPERSEDED
            case Halt.CANCELLED:
                return self._end_cancelled()
            case Halt.OUT_OF_TIME:
                return self._hand_on()

    def _end_cancelled(self) -> RunEnd:
        """End the lanes where they are: what is on the stream is settled as cancelled."""
        tails = self._enqueuer.point.tails
        orders = sum(tail.ordinal for tail in tails)
        if orders:
            ends = Packing(self._upload.id, tails, aggregate_bytes=self._plan.aggregate_bytes).end()
            if not self._enqueuer.put(ends):
                return self._hand_on()
        return self._end(UploadState.SENDING if orders else UploadState.DONE, "")

    def _hand_on(self) -> RunEnd:
        if self._enqueuer.save(everything=True) is Halt.SUPERSEDED:
            return RunEnd.SUPERSEDED
        before, after = self._upload.progress, self._enqueuer.progress()
        if (after.line, after.enqueued) == (before.line, before.enqueued):
            raise NoProgress(
                f"upload {self._upload.id}: a whole run came no further than line {before.line}; "
                "look at the log for what the stream or the ledger answered"
            )
        self._outside.hand_on(self._upload.id)
        return RunEnd.HANDED_ON

    def _pacing(self) -> ShardPacing | None:
        bytes_per_second = self._plan.shard_bytes_per_second
        if bytes_per_second is None:
            return None
        return ShardPacing(self._outside.stream.open_shards(), bytes_per_second=bytes_per_second)


_NOTHING_ENQUEUED = (UploadState.DONE, UploadState.DONE_WITH_PROBLEMS)


def _has_progress(upload: Upload) -> bool:
    """Did an earlier run read or put anything? One of an older release stored no decision."""
    return replace(upload.progress, read_seconds=0.0, tails=()) != Progress()


def _sentence(error: SourceUnreadable) -> str:
    before = "; orders before it are sent" if error.line > 1 else ""
    return f"line {error.line}: {error.reason}{before}"
