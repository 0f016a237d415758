"""In which order do packed orders reach the stream, the report and the ledger?

Records first, then the part of the report, then the progress that names both: whoever is killed in
between repeats, and leaves nothing out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ledger.ports.uploads import UploadLedger
from ledger.uploads.upload import Progress, Upload, UploadState
from orders.aggregate import Aggregate
from orders.invalid_report import report_key, write_report_part
from orders.parsed_lines import InvalidLine
from producer_lambda.clock import Clock
from producer_lambda.publishing import Publisher, Put, one_per_lane
from producer_lambda.resume_point import Checkpoint, ResumePoint
from producer_lambda.source import ObjectStore

PART_BYTES = 256 * 1024
"""A part of the report is stored when its lines come to this much."""
CHECKPOINT_BYTES = 8 * 1024 * 1024
"""A later run reads at most about this much again to find rejected lines and its place."""


class Halt(Enum):
    """Why a run must not go on."""

    CANCELLED = "a person cancelled the upload"
    SUPERSEDED = "another run took the upload over"
    OUT_OF_TIME = "the function's time is nearly over"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What reading made of a stretch of the file, in the file's order."""

    aggregates: Sequence[Aggregate]
    checkpoints: Sequence[Checkpoint] = ()
    rejected: Sequence[InvalidLine] = ()


class Enqueuer:
    """Brings one run's stretches out, one after the other; one thread at a time may call it."""

    def __init__(  # noqa: PLR0913 - everything that an upload touches, by name
        self,
        upload: Upload,
        *,
        ledger: UploadLedger,
        store: ObjectStore,
        publisher: Publisher,
        clock: Clock,
        report_prefix: str,
    ) -> None:
        self.point = ResumePoint(upload.progress, lanes=upload.lanes)
        self._upload = upload
        self._ledger = ledger
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._report_prefix = report_prefix
        self._began_at = clock.monotonic()

    def enqueue(self, stretch: Stretch) -> Halt | None:
        """Put a stretch's records, saving the progress after each group. None: go on."""
        self.point.read(stretch.checkpoints, stretch.rejected)
        # One record of a lane, then the progress, then the lane's next record: a run that was
        # superseded meanwhile can repeat that one record, and never put one beyond a gap.
        for group in one_per_lane(stretch.aggregates):
            is_whole = self.put(group)
            halt = self.save()
            if halt:
                return halt
            if not is_whole:
                return Halt.OUT_OF_TIME
        return None if stretch.aggregates else self._save_if_far()

    def put(self, group: Sequence[Aggregate]) -> bool:
        """Put records of lanes that are all different, each behind its lane's last one.

        False: time was over before all of them were in.
        """
        puts = [Put(aggregate, self.point.last_number(aggregate)) for aggregate in group]
        result = self._publisher.put(puts)
        for entered in result.entered:
            self.point.enter(entered.aggregate, entered.sequence_number)
        return not result.left

    def save(self, *, everything: bool = False) -> Halt | None:
        """Save the progress; with `everything` also a part of the report that is still small."""
        unreported = self.point.unreported()
        if everything or not unreported or self._is_far(unreported):
            self._report(unreported)
            self.point.settle()
        state = self._ledger.save_progress(
            self._upload.id,
            token=self._upload.run_token,
            progress=self.progress(),
            now=self._clock.epoch(),
        )
        if state is None:
            return Halt.SUPERSEDED
        return Halt.CANCELLED if state is UploadState.CANCELLED else None

    def progress(self) -> Progress:
        """The progress as it would be saved now."""
        spent = self._clock.monotonic() - self._began_at
        return self.point.progress(read_seconds=self._upload.progress.read_seconds + spent)

    def _save_if_far(self) -> Halt | None:
        return self.save() if self._is_far(self.point.unreported()) else None

    def _is_far(self, unreported: Sequence[InvalidLine]) -> bool:
        distance = self.point.reached().at.offset - self.point.certain.at.offset
        return distance >= CHECKPOINT_BYTES or sum(len(one.raw) for one in unreported) >= PART_BYTES

    def _report(self, unreported: Sequence[InvalidLine]) -> None:
        if unreported:
            key = report_key(
                self._report_prefix,
                self._upload.id,
                start=self.point.certain.at.offset,
                end=self.point.reached().at.offset,
            )
            self._store.put_report(self._upload.source.bucket, key, write_report_part(unreported))
