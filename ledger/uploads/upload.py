"""An upload, its source and its counts."""

from dataclasses import dataclass
from enum import StrEnum

from ledger.uploads.id_repeats import NO_REPEATS, IdRepeats
from ledger.uploads.lane import Lane, Tally
from orders.upload import UploadId


class UploadState(StrEnum):
    """The state of an upload."""

    READING = "reading"
    SENDING = "sending"
    DONE = "done"
    DONE_WITH_PROBLEMS = "done_with_problems"
    CANCELLED = "cancelled"
    REFUSED_ADMISSION = "refused_admission"
    SOURCE_LOST = "source_lost"
    UNREADABLE = "unreadable"


class UploadKind(StrEnum):
    """Where an upload's orders come from."""

    FILE = "file"
    REDRIVE = "redrive"


@dataclass(frozen=True, slots=True)
class Source:
    """The stored object. `version_id` is empty if the bucket has no versions."""

    bucket: str
    key: str
    version_id: str
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LaneTail:
    """The end of what was enqueued in one lane: its last line and how many orders it holds.

    sequence_number: where the lane's last record is in its shard, empty if not known.
    The next run's first record is put behind it.
    """

    line: int = 0
    ordinal: int = 0
    sequence_number: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload has been read; the resume point of the next run.

    offset: bytes of the object that were read (for a compressed one: of its plain text).
    line: the last line that was read. blank, invalid, enqueued: counts up to there.
    tails: one a lane. read_seconds: time spent reading, over all runs.
    """

    offset: int = 0
    line: int = 0
    blank: int = 0
    invalid: int = 0
    enqueued: int = 0
    tails: tuple[LaneTail, ...] = ()
    read_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload's row of the ledger. Times are seconds since the epoch.

    lanes: 0 until the first run fixes it.
    reason: a sentence for the person who must act, empty if nothing is wrong.
    estimate: how many orders it was estimated to hold at admission, 0 before.
    admitted: admission let it in, before its first order was put; the check is never repeated.
    read_complete: nothing more will be enqueued and the end markers are in the stream.
    listed_open: it is one of the open uploads: part of it is still to be read or sent.
    linked: the upload that this one sends again, or that sends this one again.
    ended_tally: settled orders by outcome when it ended, None before, so that a list of ended
        uploads needs no lanes.
    duplicate_of: the earlier upload of the same bytes, whose orders were sent or will be.
    id_repeats: what was found of its order ids, once it was read.
    letters_closed: its dead letters that were sent again, dismissed or corrected.
    """

    id: UploadId
    source: Source
    state: UploadState
    created_at: float
    updated_at: float
    kind: UploadKind = UploadKind.FILE
    ended_at: float | None = None
    reason: str = ""
    lanes: int = 0
    progress: Progress = Progress()
    run_token: str = ""
    estimate: int = 0
    admitted: bool = False
    read_complete: bool = False
    listed_open: bool = True
    linked: UploadId | None = None
    ended_tally: Tally | None = None
    letters_closed: int = 0
    duplicate_of: UploadId | None = None
    id_repeats: IdRepeats = NO_REPEATS


@dataclass(frozen=True, slots=True)
class Account:
    """An upload with its lanes, and the numbers that are derived from them.

    lanes: left out in a list of ended uploads; `Upload.ended_tally` then holds their counts.

    Reading and sending write to different rows, so settled lines that the reading has not counted
    yet count as enqueued: promise 1 then holds at every moment.
    """

    upload: Upload
    lanes: tuple[Lane, ...] = ()

    @property
    def tally(self) -> Tally:
        """Settled orders by outcome, over all lanes."""
        if not self.lanes and self.upload.ended_tally is not None:
            return self.upload.ended_tally
        return sum((lane.tally for lane in self.lanes), Tally())

    @property
    def enqueued(self) -> int:
        """Orders put into the stream, at least those that are settled."""
        return max(self.upload.progress.enqueued, self.tally.settled)

    @property
    def waiting(self) -> int:
        """Orders enqueued and not settled."""
        return self.enqueued - self.tally.settled

    @property
    def lines_read(self) -> int:
        """Lines that were read: blank, invalid or enqueued."""
        progress = self.upload.progress
        return progress.blank + progress.invalid + self.enqueued

    @property
    def is_cancelling(self) -> bool:
        """Is it cancelled, with orders still to be settled?"""
        return self.upload.state is UploadState.CANCELLED and self.upload.listed_open

    @property
    def open_letters(self) -> int:
        """Refused orders that wait for a person: not sent again, dismissed or corrected."""
        return max(0, self.tally.refused - self.upload.letters_closed)

    @property
    def has_problems(self) -> bool:
        """Was any line invalid, or any order refused or missing?"""
        tally = self.tally
        return bool(self.upload.progress.invalid or tally.refused or tally.missing)
