"""In which order do packed orders reach the stream, the report and the ledger?

Records first, then the part of the report and that of the order ids, then the progress that names
them all: a run that is killed in between repeats some, and leaves nothing out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from ledger.uploads.upload import Progress, Upload, UploadState
from orders.aggregate import Aggregate
from orders.id_parts import IdPart, write_id_part
from orders.invalid_report import report_key, write_report_part
from producer_lambda.dependencies import Dependencies
from producer_lambda.publishing import PendingRecord, Publisher, one_per_lane
from producer_lambda.resume_point import ResumePoint, ResumeTracker

PART_BYTES = 256 * 1024
"""A part of the report is stored once its lines have this size."""
PART_IDS = 100_000
"""A part of the order ids is stored once it holds so many."""
RESUME_BYTES = 8 * 1024 * 1024
"""A later run reads at most about this much again to find invalid lines, ids and its place."""


class Halt(Enum):
    """Why a run must not go on."""

    CANCELLED = "a person cancelled the upload"
    SUPERSEDED = "another run took the upload over"
    OUT_OF_TIME = "the function's time is nearly over"


@dataclass(slots=True)
class Packed:
    """What reading made of consecutive lines, in file order."""

    aggregates: list[Aggregate] = field(default_factory=list)
    resume_points: list[ResumePoint] = field(default_factory=list)


class Enqueuer:
    """Puts on the stream what one run packed; one thread at a time may call it."""

    def __init__(
        self,
        upload: Upload,
        dependencies: Dependencies,
        publisher: Publisher,
        *,
        report_prefix: str,
    ) -> None:
        self.tracker = ResumeTracker(upload.progress, lanes=upload.lanes)
        self.why_left = ""
        """What kept the last records off the stream that did not get in."""
        self._upload = upload
        self._dependencies = dependencies
        self._publisher = publisher
        self._report_prefix = report_prefix
        self._began_at = dependencies.clock.monotonic()

    def enqueue(self, packed: Packed) -> Halt | None:
        """Put the records, saving the progress after each group. None: go on."""
        self.tracker.add(packed.resume_points)
        # One record of a lane, then the progress, then the lane's next record: a run that was
        # superseded meanwhile can repeat that one record, and never put one beyond a gap.
        for group in one_per_lane(packed.aggregates):
            is_whole = self.put(group)
            halt = self.save()
            if halt:
                return halt
            if not is_whole:
                return Halt.OUT_OF_TIME
        return self.save() if not packed.aggregates and self._is_far() else None

    def put(self, group: Sequence[Aggregate]) -> bool:
        """Put records of different lanes, each after its lane's last one.

        False: time was over before all of them were in.
        """
        result = self._publisher.put(
            [PendingRecord(aggregate, self.tracker.last_number(aggregate)) for aggregate in group]
        )
        for entered in result.entered:
            self.tracker.enter(entered.aggregate, entered.sequence_number)
        self.why_left = result.why
        return not result.left

    def save(self, *, everything: bool = False) -> Halt | None:
        """Save the progress; with `everything` also parts that are still small."""
        is_stored = not self.tracker.unreported and not self.tracker.unstored_ids
        if everything or is_stored or self._is_far():
            self._report()
            self._keep_ids()
            self.tracker.confirm()
        state = self._dependencies.ledger.save_progress(
            self._upload.id,
            token=self._upload.run_token,
            progress=self.progress(),
            now=self._dependencies.clock.time(),
        )
        return halt_of(state)

    def progress(self) -> Progress:
        """The progress as it would be saved now."""
        spent = self._dependencies.clock.monotonic() - self._began_at
        return self.tracker.progress(read_seconds=self._upload.progress.read_seconds + spent)

    def _is_far(self) -> bool:
        distance = self.tracker.reached.at.offset - self.tracker.confirmed.at.offset
        unreported_bytes = sum(len(one.raw) for one in self.tracker.unreported)
        return (
            distance >= RESUME_BYTES
            or unreported_bytes >= PART_BYTES
            or len(self.tracker.unstored_ids) >= PART_IDS
        )

    def _report(self) -> None:
        if self.tracker.unreported:
            key = report_key(
                self._report_prefix,
                self._upload.id,
                start=self.tracker.confirmed.at.offset,
                end=self.tracker.reached.at.offset,
            )
            part = write_report_part(self.tracker.unreported)
            self._dependencies.store.put_report(self._upload.source.bucket, key, part)

    def _keep_ids(self) -> None:
        if self.tracker.unstored_ids:
            start, end = self.tracker.confirmed.at.offset, self.tracker.reached.at.offset
            self._dependencies.id_parts.put_id_part(
                IdPart(self._upload.id, start, end),
                write_id_part(self.tracker.unstored_ids),
            )


def halt_of(state: UploadState | None) -> Halt | None:
    """What the ledger's answer to a run's write means for it (`None`: another run's token)."""
    if state is None:
        return Halt.SUPERSEDED
    return Halt.CANCELLED if state is UploadState.CANCELLED else None
