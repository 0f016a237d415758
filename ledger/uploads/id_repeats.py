"""What was found of the order ids of an upload: do they repeat, and were they sent before?"""

from dataclasses import dataclass

from orders.upload import UploadId

SENT_BY_MAX = 5


@dataclass(frozen=True, slots=True)
class IdRepeats:
    """Counts of orders, found when the upload had been read; they change none of the others.

    in_file: orders whose id an earlier line of the file has. sent_before: different ids that
    another upload has, which was sent or will be. sent_by: such uploads, at most SENT_BY_MAX.
    is_partial: there was no time to compare everything, so there may be more.
    """

    in_file: int = 0
    sent_before: int = 0
    sent_by: tuple[UploadId, ...] = ()
    is_partial: bool = False


NO_REPEATS = IdRepeats()
