"""A redrive: which dead letters are sent again, even if several people redrive at once.

    begin    an upload has at most one redrive; a second person continues the same one. The object
             key of its file is fixed here
    claim    letters are claimed for that key, each for one redrive, permanently
    seal     no more letters are claimed: from now on everybody builds the same file from them
    end      every letter names the upload that sends it again

A claim and the seal exclude each other, so that no letter is claimed for a file that may have been
stored already. An interrupted redrive is continued by the next one.
"""

from dataclasses import dataclass

from ledger.uploads.dead_letter import DeadLetter
from orders.upload import UploadId


@dataclass(frozen=True, slots=True)
class Redrive:
    """A redrive that was begun and has not ended.

    upload: whose letters are sent again. key: the object key of the file with their orders.
    is_sealed: no more letters will be claimed for the key.
    """

    upload: UploadId
    key: str
    is_sealed: bool = False


def is_claimable(letter: DeadLetter, redrive: Redrive) -> bool:
    """May the letter be claimed for this redrive (again)?"""
    return letter.is_open and letter.redrive_key in (None, redrive.key)
