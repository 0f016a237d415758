"""What the ledger in memory holds."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from ledger.pace.history import History
from ledger.pace.pace import Pace
from ledger.uploads.lane import Lane, LaneKey, Tally

if TYPE_CHECKING:
    from ledger.claim import Claim
    from ledger.uploads.dead_letter import DeadLetter
    from ledger.uploads.redrive import Redrive
    from ledger.uploads.upload import Upload
    from orders.upload import UploadId


class Tables:
    """Every row, by its key, for each part of the ledger; read and written under the lock."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._uploads: dict[UploadId, Upload] = {}
        self._lanes: dict[LaneKey, Lane] = {}
        self._ended_tally = Tally()
        self._letters: dict[tuple[UploadId, str], DeadLetter] = {}
        self._fingerprints: dict[str, UploadId] = {}
        self._redrives: dict[UploadId, Redrive] = {}
        self._claims: dict[tuple[str, int], Claim] = {}
        self._pace = Pace()
        self._history = History()
