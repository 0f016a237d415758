"""Ledgers for the tests of the command."""

from dataclasses import dataclass, field

from ledger.memory.ledger import MemoryLedger
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import LaneTail, Progress, Source, UploadState
from orders.outcome import Outcome
from orders.upload import UploadId

NOW = 1_800_000_000.0
FIRST, SECOND = UploadId("a" * 20), UploadId("ab" * 10)


@dataclass(slots=True)
class Book:
    """A ledger in memory, written as producer and consumer write it."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def announce(self, upload: UploadId = FIRST, *, at: float = NOW) -> None:
        """A file was stored."""
        source = Source("bucket", f"uploads/{upload[:4]}.jsonl", "v1", "etag", 1_000)
        self.ledger.announce(upload, source, now=at)

    def read(self, upload: UploadId = FIRST, *, enqueued: int, invalid: int = 0) -> None:
        """The producer read all of it: the invalid lines come first."""
        lines = enqueued + invalid
        progress = Progress(
            line=lines, invalid=invalid, enqueued=enqueued, tails=(LaneTail(lines, enqueued),)
        )
        self.ledger.start_run(upload, token="run", lanes=1, now=NOW)
        self.ledger.finish_reading(
            upload,
            token="run",
            progress=progress,
            state=UploadState.SENDING,
            reason="",
            now=NOW,
        )

    def settle(self, upload: UploadId = FIRST, *, first: int, count: int, outcome: Outcome) -> None:
        """The consumer settled `count` orders from line `first` on (no line is left out)."""
        key = LaneKey(upload, LaneNumber(0))
        lane = self.ledger.read_lane(key)
        assert lane is not None
        span = Span(
            prev=lane.mark,
            line=first + count - 1,
            count=count,
            first_ordinal=lane.mark_ordinal + 1,
            outcome=outcome,
        )
        self.ledger.settle(lane, Settlement(spans=(span,)))

    def end(self, upload: UploadId = FIRST) -> None:
        """The end marker came."""
        lane = self.ledger.read_lane(LaneKey(upload, LaneNumber(0)))
        assert lane is not None
        self.ledger.settle(lane, Settlement(ended=True))
        self.ledger.close_if_drained(upload, now=NOW + 60)
