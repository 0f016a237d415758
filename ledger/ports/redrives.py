"""Where redrives are kept."""

from collections.abc import Collection, Sequence
from typing import Protocol

from ledger.uploads.dead_letter import DeadLetter
from ledger.uploads.redrive import Redrive
from orders.upload import UploadId


class Redrives(Protocol):
    """Where redrives are kept; every write is idempotent or conditional."""

    def begin_redrive(self, upload: UploadId, *, key: str, now: float) -> Redrive:
        """The redrive of an upload; begun, with this key, if there is none."""

    def claim_letters(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        """Claim those of the letters that may be claimed; skip the others.

        False: the redrive is sealed or has ended, and not all of them were claimed.
        """

    def seal_redrive(self, redrive: Redrive) -> bool:
        """Allow no more claims. False: the redrive has ended."""

    def end_redrive(self, redrive: Redrive) -> None:
        """End it, so that the next redrive may begin; ending it twice does no harm."""

    def redrivable_uploads(self) -> Collection[UploadId]:
        """Uploads with a redrive that has not ended, or with letters that were not sent again.

        Read from an index that lags by a moment.
        """
