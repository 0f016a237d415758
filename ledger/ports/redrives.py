"""Which dead letters does a redrive send again, whoever else redrives at the same moment?

    begin    an upload has one redrive at most; who comes second works on the same one. Its key, of
             the file to be stored, is fixed here
    claim    letters are claimed for that key, each for one redrive for ever
    seal     nothing more is claimed: from now on everybody makes the same file of them
    end      every letter names the upload that sends it again

A claim and the seal exclude each other, so that no letter is claimed for a file that may have been
stored already. Whoever is interrupted leaves the redrive to the next one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.ports.dead_letters import DeadLetter
from orders.upload import UploadId


@dataclass(frozen=True, slots=True)
class Redrive:
    """A redrive that was begun and has not ended.

    upload: whose letters are sent again. key: the object key of the file with their orders.
    is_sealed: the letters claimed for the key are all that there will be.
    """

    upload: UploadId
    key: str
    is_sealed: bool = False


def is_claimable(letter: DeadLetter, redrive: Redrive) -> bool:
    """May the letter be claimed for this redrive (again)?"""
    return letter.redriven_as is None and letter.redrive_key in (None, redrive.key)


class Redrives(Protocol):
    """Where redrives are kept; every write is idempotent or conditional."""

    def begin_redrive(self, upload: UploadId, *, key: str, now: float) -> Redrive:
        """The redrive of an upload; begun, with this key, where there is none."""

    def claim_letters(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        """Claim those of the letters that may be claimed; the others are passed over.

        False: the redrive is sealed or has ended, and not all of them were claimed.
        """

    def seal_redrive(self, redrive: Redrive) -> bool:
        """Let nothing more be claimed. False: the redrive has ended."""

    def end_redrive(self, redrive: Redrive) -> None:
        """Make room for the next redrive; one that has ended before stays so."""

    def redrivable_uploads(self) -> Collection[UploadId]:
        """Uploads with a redrive that has not ended, or with letters that nobody sent again.

        From an index, so a moment old.
        """
