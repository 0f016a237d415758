"""One run of the producer for one upload, from reading its ledger row to saving how it ended."""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from ledger.earlier_upload import claim_bytes, same_bytes_clause
from ledger.errors import upload_missing
from ledger.uploads.duplicate import Duplicates
from ledger.uploads.upload import Account, Progress, Upload, UploadState
from orders.file_reading import parse_file
from orders.formats import Format, SourceUnreadable, format_of
from orders.parsed_lines import FilePosition, ParsedLines
from orders.upload_keys import is_repeated_on_purpose
from producer_lambda.admission import (
    Refusal,
    decide,
    estimate_orders,
    take_sample,
)
from producer_lambda.dependencies import Dependencies, RunSettings
from producer_lambda.enqueuing import Enqueuer, Halt, halt_of
from producer_lambda.object_store import SourceLost
from producer_lambda.packing import Packing
from producer_lambda.publishing import Publisher
from producer_lambda.read_ahead import ReadAhead
from producer_lambda.repeated_orders import note_id_repeats
from producer_lambda.run_deadline import Deadline
from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.upload_requests import UploadRequest


class RunEnd(Enum):
    """How a run ended; how the upload ended is in the ledger."""

    FINISHED = "reading is complete"
    NOTHING_TO_DO = "reading was complete before"
    SUPERSEDED = "another run took the upload over"
    HANDED_ON = "the rest is for the next run"


class NoProgress(Exception):
    """A whole run made no progress, so the next one waits for the queue's visibility time-out."""


def run_upload(
    request: UploadRequest, dependencies: Dependencies, settings: RunSettings, deadline: Deadline
) -> RunEnd:
    """Continue reading an upload until its end or the deadline.

    Raises LedgerError, StreamRefused, NoProgress, and errors of the bucket other than SourceLost:
    the message must then come back.
    """
    ledger, now = dependencies.ledger, dependencies.clock.time()
    if request.source:
        ledger.announce(request.upload, request.source, now=now)
    elif ledger.read_account(request.upload) is None:
        raise upload_missing(request.upload)
    token = dependencies.new_token()
    upload = ledger.start_run(request.upload, token=token, lanes=settings.lanes, now=now)
    if upload.read_complete:
        return RunEnd.NOTHING_TO_DO
    return _Run(upload, dependencies, settings, deadline).go()


class _Run:
    """One run of one upload that is not complete yet."""

    def __init__(
        self,
        upload: Upload,
        dependencies: Dependencies,
        settings: RunSettings,
        deadline: Deadline,
    ) -> None:
        self._upload = upload
        self._dependencies = dependencies
        self._ledger = dependencies.ledger
        self._clock = dependencies.clock
        self._settings = settings
        self._deadline = deadline
        publisher = Publisher(
            dependencies.stream,
            self._pacing(),
            deadline,
            executor=dependencies.put_threads,
            jitter=dependencies.jitter,
        )
        self._enqueuer = Enqueuer(
            upload, dependencies, publisher, report_prefix=settings.report_prefix
        )

    def go(self) -> RunEnd:
        """Read to the end, or as far as time allows."""
        if self._upload.state is UploadState.CANCELLED:
            return self._end_cancelled()
        reader = ReadAhead(
            self._upload,
            self._enqueuer,
            executor=self._dependencies.enqueue_thread,
            aggregate_bytes=self._settings.aggregate_bytes,
            keeps_ids=self._settings.duplicates is not Duplicates.ALLOW,
        )
        state, reason = UploadState.SENDING, ""
        try:
            form = format_of(self._upload.source.key)
            admission = self._admit(form)
            if isinstance(admission, Refusal):
                return self._end(UploadState.REFUSED_ADMISSION, admission.sentence)
            halt = admission or reader.read(self._parts(form), self._deadline)
        except SourceUnreadable as error:
            halt, state, reason = None, UploadState.UNREADABLE, _sentence(error)
        except SourceLost as error:
            halt, state = None, UploadState.SOURCE_LOST
            reason = f"{error.reason}; orders read before that are sent"
        if halt is None and state is UploadState.SENDING and not reader.orders:
            state = UploadState.DONE_WITH_PROBLEMS if reader.invalid else UploadState.DONE
        if halt is None:
            halt = reader.finish(is_end=state not in _NOTHING_ENQUEUED)
        if halt is None and reader.orders and self._settings.duplicates is not Duplicates.ALLOW:
            halt = note_id_repeats(
                self._upload, self._enqueuer.progress(), self._dependencies, self._deadline
            )
        return self._end(state, reason) if halt is None else self._stop(halt)

    def _admit(self, form: Format) -> Refusal | Halt | None:
        """Decide on admission: once, and in the ledger before the first put. None: let in.

        A run that died before the decision was stored put nothing, so the next one may ask again.
        """
        upload, ledger = self._upload, self._ledger
        if upload.admitted or _has_progress(upload):
            return None
        earlier = self._earlier()
        if earlier and self._settings.duplicates is Duplicates.REFUSE:
            return Refusal(
                f"{same_bytes_clause(earlier)}, and ORDERS_DUPLICATES=refuse; to send its orders "
                "once more, upload it by `orders upload --again`"
            )
        sample = take_sample(self._dependencies.store.open_at(upload.source, 0))
        estimate = estimate_orders(sample, upload.source.size_bytes, form)
        # The estimate first, then the sum: of two uploads at once each sees the other.
        is_ours = ledger.write_estimate(
            upload.id,
            token=upload.run_token,
            estimate=estimate,
            now=self._clock.time(),
            duplicate_of=earlier.upload.id if earlier else None,
        )
        if not is_ours:
            return Halt.SUPERSEDED
        pace = self._dependencies.pace.read_pace()
        accounts = {account.upload.id: account for account in ledger.open_accounts()}
        if upload.id not in accounts and (own := ledger.read_account(upload.id)):
            accounts[upload.id] = own  # the index of open uploads may be a moment late
        refusal = decide(
            accounts.values(),
            rate=pace.rate(self._clock.time()) or self._settings.rate,
            orders_per_turn=pace.orders_per_turn,
            retention_hours=self._settings.retention_hours,
            own=estimate,
            pace=pace,
            now=self._clock.time(),
        )
        return refusal or halt_of(
            ledger.admit(upload.id, token=upload.run_token, now=self._clock.time())
        )

    def _earlier(self) -> Account | None:
        """The upload that holds the same bytes; noted for those to come, whatever they will do."""
        if self._settings.duplicates is Duplicates.ALLOW:
            return None
        upload, now = self._upload, self._clock.time()
        earlier = claim_bytes(self._ledger, upload.source, upload.id, now=now)
        return None if is_repeated_on_purpose(upload.source.key) else earlier

    def _parts(self, form: Format) -> Iterator[ParsedLines]:
        upload, store = self._upload, self._dependencies.store
        start = FilePosition(upload.progress.offset, upload.progress.line)
        return parse_file(
            lambda offset: store.open_at(upload.source, offset), form, start, self._settings.limits
        )

    def _end(self, state: UploadState, reason: str) -> RunEnd:
        is_ours = self._ledger.finish_reading(
            self._upload.id,
            token=self._upload.run_token,
            progress=self._enqueuer.progress(),
            state=state,
            reason=reason,
            now=self._clock.time(),
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
        tails = self._enqueuer.tracker.tails
        orders = sum(tail.ordinal for tail in tails)
        if orders:
            ends = Packing(
                self._upload.id, tails, aggregate_bytes=self._settings.aggregate_bytes
            ).end()
            if not self._enqueuer.put(ends):
                return self._hand_on()
        return self._end(UploadState.SENDING if orders else UploadState.DONE, "")

    def _hand_on(self) -> RunEnd:
        if self._enqueuer.save(everything=True) is Halt.SUPERSEDED:
            return RunEnd.SUPERSEDED
        before, after = self._upload.progress, self._enqueuer.progress()
        if (after.line, after.enqueued) == (before.line, before.enqueued):
            raise NoProgress(
                f"upload {self._upload.id}: a whole run came no further than line {before.line}: "
                f"{self._enqueuer.why_left or 'no time was left'}"
            )
        self._dependencies.hand_on(self._upload.id)
        return RunEnd.HANDED_ON

    def _pacing(self) -> ShardPacing | None:
        bytes_per_second = self._settings.shard_bytes_per_second
        if bytes_per_second is None:
            return None
        return ShardPacing(
            self._dependencies.stream.open_shards(), bytes_per_second=bytes_per_second
        )


_NOTHING_ENQUEUED = (UploadState.DONE, UploadState.DONE_WITH_PROBLEMS)


def _has_progress(upload: Upload) -> bool:
    """Did an earlier run read or put anything? Older releases stored no decision."""
    return replace(upload.progress, read_seconds=0.0, tails=()) != Progress()


def _sentence(error: SourceUnreadable) -> str:
    before = "; orders before it are sent" if error.line > 1 else ""
    return f"line {error.line}: {error.reason}{before}"
