"""From where can a later run continue, so that nothing is left out and little is repeated?

Two things advance separately. The tails say what of each lane is on the stream; they move with
every record. The resume point is a position in the file before which everything is done: every
order is on the stream, every invalid line in a stored part of the report, every order id (as a
hash) in a stored part of the ids. A later run reads from the resume point on and skips what the
tails say is on the stream.
"""

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ledger.uploads.upload import LaneTail, Progress
from orders.aggregate import Aggregate
from orders.id_hashes import Hashes
from orders.parsed_lines import FilePosition, InvalidLine
from orders.upload import parse_partition_key


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A position in the file, and the counts up to there.

    lane_lines: the last line that each lane was given before it.
    invalid_lines: those between the point before and this one.
    id_hashes: of the orders between them, where ids are kept.
    """

    at: FilePosition
    blank: int
    invalid: int
    lane_lines: tuple[int, ...]
    invalid_lines: Sequence[InvalidLine]
    id_hashes: Hashes = field(default_factory=lambda: array("Q"))


class ResumeTracker:
    """Follows what is done so far; no input or output of its own."""

    def __init__(self, progress: Progress, *, lanes: int) -> None:
        self.tails = list(progress.tails or (LaneTail(),) * lanes)
        self.confirmed = ResumePoint(
            FilePosition(progress.offset, progress.line), progress.blank, progress.invalid, (), ()
        )
        self.reached = self.confirmed
        """The last point before which every order is on the stream."""
        self.unreported: list[InvalidLine] = []
        """The invalid lines before `reached` that no stored part of the report holds."""
        self.unstored_ids = array("Q")
        """The hashes of the orders before `reached` whose ids are in no stored part."""
        self._ahead: deque[ResumePoint] = deque()

    def add(self, points: Iterable[ResumePoint]) -> None:
        """Add points that reading passed."""
        self._ahead.extend(points)
        self._advance()

    def last_number(self, aggregate: Aggregate) -> str:
        """The sequence number of the last record in this one's lane."""
        return self.tails[_lane(aggregate)].sequence_number

    def enter(self, aggregate: Aggregate, sequence_number: str) -> None:
        """Note that a record is on the stream under this number."""
        self.tails[_lane(aggregate)] = LaneTail(aggregate.line, aggregate.ordinal, sequence_number)
        self._advance()

    def confirm(self) -> None:
        """Make the point reached the resume point, now that what is before it is stored."""
        self.confirmed = self.reached
        self.unreported = []
        self.unstored_ids = array("Q")

    def _advance(self) -> None:
        while self._ahead and all(
            tail.line >= line
            for tail, line in zip(self.tails, self._ahead[0].lane_lines, strict=True)
        ):
            self.reached = self._ahead.popleft()
            self.unreported.extend(self.reached.invalid_lines)
            self.unstored_ids.extend(self.reached.id_hashes)

    def progress(self, *, read_seconds: float) -> Progress:
        """What the ledger stores."""
        return Progress(
            offset=self.confirmed.at.offset,
            line=self.confirmed.at.line,
            blank=self.confirmed.blank,
            invalid=self.confirmed.invalid,
            enqueued=sum(tail.ordinal for tail in self.tails),
            tails=tuple(self.tails),
            read_seconds=read_seconds,
        )


def _lane(aggregate: Aggregate) -> int:
    key = parse_partition_key(aggregate.partition_key)
    if key is None:
        raise ValueError(f"{aggregate.partition_key!r} names no lane")
    return key[1]
