"""Which dead letters does a redrive send again, whoever else redrives at the same moment?

    begin    an upload has one redrive at most; who comes second works on the same one. Its key, of
             the file to be stored, is fixed here
    claim    letters are claimed for that key, each for one redrive for ever
    seal     nothing more is claimed: from now on everybody makes the same file of them
    end      every letter names the upload that sends it again

A claim and the seal exclude each other, so that no letter is claimed for a file that may have been
stored already. Whoever is interrupted leaves the redrive to the next one.
"""

from dataclasses import dataclass

from ledger.uploads.dead_letter import DeadLetter
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
