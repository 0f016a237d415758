"""The order ids of an upload as hashes, in the bucket, so that a later upload can be compared.

They are stored while the upload is read, in parts: `order-ids/<upload>/<start>-<end>`, where start
and end are offsets into the plain text of the file. The name determines the content: a hash of
eight bytes (little-endian) for each order between them, in file order. After a crash parts may
overlap; `parts_up_to` picks those that hold each order once.
"""

import re
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from orders.id_hashes import HASH_BYTES, Hashes
from orders.upload import UploadId

ID_PREFIX = "order-ids/"
"""Outside the prefix of uploads, or each part would be one."""

_KEY = re.compile(
    rf"{ID_PREFIX}(?P<upload>[0-9a-f]{{20}})/(?P<start>[0-9]{{15,}})-(?P<end>[0-9]{{15,}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class IdPart:
    """The orders of an upload between two offsets of its file."""

    upload: UploadId
    start: int
    end: int

    @property
    def key(self) -> str:
        """Where it is stored."""
        return f"{ID_PREFIX}{self.upload}/{self.start:015d}-{self.end:015d}"


def id_part_of(key: str) -> IdPart | None:
    """The part that a key names; None if it is no part's."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    return IdPart(UploadId(found["upload"]), int(found["start"]), int(found["end"]))


def write_id_part(hashes: Hashes) -> bytes:
    """The content of a part."""
    if sys.byteorder == "big":
        hashes = array("Q", hashes)
        hashes.byteswap()
    return hashes.tobytes()


def read_id_part(content: bytes) -> Hashes:
    """The hashes of a part. Bytes too many are left out: a warning is worth no failure."""
    hashes = array("Q")
    hashes.frombytes(content[: len(content) // HASH_BYTES * HASH_BYTES])
    if sys.byteorder == "big":
        hashes.byteswap()
    return hashes


def parts_up_to(end: int, parts: Iterable[IdPart]) -> list[IdPart]:
    """Parts of one upload that hold each order before `end` once, from the last to the first.

    end: up to where the upload has been read, as the ledger has it. A part begins where the ledger
    said so, too, so there are parts up to there; only where no order lies between is there none.
    """
    chosen: list[IdPart] = []
    for part in sorted(parts, key=lambda one: one.end, reverse=True):
        if part.end <= end:
            chosen.append(part)
            end = part.start
    return chosen
