"""What does the ledger in memory hold?"""

from dataclasses import dataclass, field
from threading import RLock

from ledger.claim import Claim
from ledger.history import History
from ledger.pace.pace import Pace
from ledger.uploads.dead_letter import DeadLetter
from ledger.uploads.lane import Lane, LaneKey, Tally
from ledger.uploads.redrive import Redrive
from ledger.uploads.upload import Upload
from orders.upload import UploadId


@dataclass(slots=True)
class Rows:
    """Every row, by its key. Whoever reads or writes one holds the lock."""

    lock: RLock = field(default_factory=RLock)
    uploads: dict[UploadId, Upload] = field(default_factory=dict)
    lanes: dict[LaneKey, Lane] = field(default_factory=dict)
    ended_tally: Tally = field(default_factory=Tally)
    letters: dict[tuple[UploadId, str], DeadLetter] = field(default_factory=dict)
    redrives: dict[UploadId, Redrive] = field(default_factory=dict)
    claims: dict[tuple[str, int], Claim] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    history: History = field(default_factory=History)


class OnRows:
    """A part of the ledger, kept in rows that it shares with the other parts."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
