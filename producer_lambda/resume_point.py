"""From where can a later run go on, so that nothing is left out and little is repeated?

Two things move apart. The tails say what of each lane is on the stream; they move with every
record. The checkpoint is a place in the file before which everything is dealt with: every order on
the stream, every rejected line in a stored part of the report. A later run reads from the
checkpoint on and leaves out what the tails say is in.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.uploads.upload import LaneTail, Progress
from orders.aggregate import Aggregate
from orders.parsed_lines import FilePosition, InvalidLine
from orders.upload import parse_partition_key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place between two lines, and the counts up to there.

    lane_lines: the last line that each lane was given before this place.
    """

    at: FilePosition
    blank: int
    invalid: int
    lane_lines: tuple[int, ...]


class ResumePoint:
    """What is certain so far; no input or output of its own."""

    def __init__(self, progress: Progress, *, lanes: int) -> None:
        self.tails = list(progress.tails or (LaneTail(),) * lanes)
        self.certain = Checkpoint(
            FilePosition(progress.offset, progress.line), progress.blank, progress.invalid, ()
        )
        self._reached = self.certain
        self._passed: deque[Checkpoint] = deque()
        self._unreported: deque[InvalidLine] = deque()

    def read(self, checkpoints: Sequence[Checkpoint], rejected: Sequence[InvalidLine]) -> None:
        """Add what was read: places that reading passed, and the rejected lines before them."""
        self._passed.extend(checkpoints)
        self._unreported.extend(rejected)

    def last_number(self, aggregate: Aggregate) -> str:
        """The sequence number of the last record in the lane of this one."""
        return self.tails[_lane(aggregate)].sequence_number

    def enter(self, aggregate: Aggregate, sequence_number: str) -> None:
        """A record is on the stream, and got this number there."""
        self.tails[_lane(aggregate)] = LaneTail(aggregate.line, aggregate.ordinal, sequence_number)

    def reached(self) -> Checkpoint:
        """The last place before which every order is on the stream."""
        while self._passed and all(
            tail.line >= line
            for tail, line in zip(self.tails, self._passed[0].lane_lines, strict=True)
        ):
            self._reached = self._passed.popleft()
        return self._reached

    def unreported(self) -> list[InvalidLine]:
        """The rejected lines before the place reached that no stored part of the report holds."""
        last = self.reached().at.line
        return [rejected for rejected in self._unreported if rejected.line <= last]

    def settle(self) -> None:
        """Everything before the place reached is certain: its rejected lines are reported."""
        self.certain = self.reached()
        while self._unreported and self._unreported[0].line <= self.certain.at.line:
            self._unreported.popleft()

    def progress(self, *, read_seconds: float) -> Progress:
        """What the ledger keeps."""
        return Progress(
            offset=self.certain.at.offset,
            line=self.certain.at.line,
            blank=self.certain.blank,
            invalid=self.certain.invalid,
            enqueued=sum(tail.ordinal for tail in self.tails),
            tails=tuple(self.tails),
            read_seconds=read_seconds,
        )


def _lane(aggregate: Aggregate) -> int:
    key = parse_partition_key(aggregate.partition_key)
    if key is None:
        raise ValueError(f"{aggregate.partition_key!r} is no lane")
    return key[1]
