"""What the contract runs against, and its examples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ledger.claim import Claim, LiveProcess
from ledger.ports.claims import Claims
from ledger.ports.dead_letters import DeadLetters
from ledger.ports.fingerprints import Fingerprints
from ledger.ports.lanes import LaneLedger
from ledger.ports.pace import HistoryStore, PaceStore
from ledger.ports.redrives import Redrives
from ledger.ports.uploads import UploadLedger
from ledger.uploads.dead_letter import DeadLetter, position_of_line
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import LaneTail, Progress, Source, Upload, UploadState
from orders.outcome import Outcome
from orders.upload import UploadId

UPLOAD = UploadId("0123456789abcdef0123")
OTHER_UPLOAD = UploadId("fedcba9876543210fedc")
SOURCE = Source("orders-bucket", "uploads/march.jsonl", "v1", "etag", 1234)


class Ledger(
    UploadLedger,
    LaneLedger,
    DeadLetters,
    Redrives,
    Fingerprints,
    Claims,
    PaceStore,
    HistoryStore,
    Protocol,
):
    """Every port of the ledger."""


@dataclass(frozen=True, slots=True)
class Store:
    """One ledger, and further ways into the same one: other processes, other hosts."""

    ledger: Ledger
    another: Callable[[], Ledger]


def begin(
    ledger: Ledger, upload: UploadId = UPLOAD, *, lanes: int = 1, run: str = "run-1"
) -> Upload:
    """Announce an upload and start a run of it."""
    ledger.announce(upload, SOURCE, now=1_000.0)
    return ledger.start_run(upload, token=run, lanes=lanes, now=1_001.0)


def lane_of(ledger: Ledger, upload: UploadId = UPLOAD, lane: int = 0) -> Lane:
    """The lane, which must be there."""
    found = ledger.read_lane(LaneKey(upload, LaneNumber(lane)))
    assert found is not None
    return found


def orders(first: int, last: int, outcome: Outcome = Outcome.ACCEPTED) -> Span:
    """Orders on every line, so that an order's ordinal is its line."""
    return Span(first - 1, last, last - first + 1, first, outcome)


def told(*spans: Span, ended: bool = False) -> Settlement:
    """A settlement of these spans."""
    return Settlement(spans, ended=ended)


def progress(lines: int, *, invalid: int = 0, blank: int = 0) -> Progress:
    """The reading after so many lines of ten bytes, in one lane; its orders come first."""
    enqueued = lines - invalid - blank
    tails = (LaneTail(enqueued, enqueued),)
    return Progress(
        offset=10 * lines,
        line=lines,
        blank=blank,
        invalid=invalid,
        enqueued=enqueued,
        tails=tails,
        read_seconds=0.125,
    )


def finish(
    ledger: Ledger,
    lines: int,
    *,
    upload: UploadId = UPLOAD,
    state: UploadState = UploadState.SENDING,
    invalid: int = 0,
    run: str = "run-1",
    reason: str = "",
    now: float = 1_002.0,
) -> bool:
    """End the reading after so many lines."""
    read = progress(lines, invalid=invalid)
    return ledger.finish_reading(
        upload, token=run, progress=read, state=state, reason=reason, now=now
    )


def letter(line: int, *, upload: UploadId = UPLOAD, refused_at: float = 2_000.0) -> DeadLetter:
    """The dead letter of the order on a line."""
    return DeadLetter(
        upload=upload,
        position=position_of_line(line),
        lane=0,
        line=line,
        order_id=f"A-{line}",
        body=b'{"order_id":"A-\xc3\xa9"}',
        status=422,
        reason="the API refused it",
        answer='{"error":"no such sku"}',
        attempts=2,
        first_attempt_at=refused_at - 1.5,
        refused_at=refused_at,
    )


def claim(
    token: str, *, number: int = 1, heartbeat_at: float = 3_000.0, daemon: LiveProcess | None = None
) -> Claim:
    """A claim of a worker number."""
    worker = LiveProcess(pid=100, started=5_000)
    return Claim("orders", number, token, "host-a", "boot-1", worker, daemon, heartbeat_at)
