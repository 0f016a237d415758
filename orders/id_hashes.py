"""Eight bytes for an order id, the same in every process and release, to find ids that repeat.

The bytes of the id and of a suffix, read as one number, modulo a prime: Python's own hash differs
from process to process, and a cryptographic one would take four times as long. Of two ids that
differ, the hashes are equal by chance about once in 1.7e19 pairs; who wants to can build a pair.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import TypeAlias

Hashes: TypeAlias = "array[int]"
"""Of type Q: unsigned, eight bytes each."""
HASH_BYTES = 8
HASHES_AT_ONCE = 1_000_000
"""So many are held as a set at a time: about 70 MB."""

_PRIME = 0xE6D1_B3A5_C4F7_924B
# It spreads short ids, too, over all of the range.
_SUFFIX = "\x00orders\x00"
_END = f"{_SUFFIX}\n"


def id_hashes(order_ids: Sequence[str]) -> Hashes:
    """The hash of each id, in their order."""
    # Joined, encoded and split as a whole: half the time of one by one.
    texts = f"{_END.join(order_ids)}{_SUFFIX}".encode().split(b"\n") if order_ids else []
    if len(texts) != len(order_ids):  # an id with a line feed
        texts = [f"{order_id}{_SUFFIX}".encode() for order_id in order_ids]
    return array("Q", [number % _PRIME for number in map(int.from_bytes, texts)])


def hash_ranges(count: int) -> Iterator[tuple[int, int]]:
    """Ranges (from, below) in which so many hashes are looked at, about HASHES_AT_ONCE in each."""
    ranges = max(1, ceil(count / HASHES_AT_ONCE))
    bounds = [number * _PRIME // ranges for number in range(ranges + 1)]
    return pairwise(bounds)


def hashes_between(hashes: Hashes, start: int, below: int) -> Sequence[int]:
    """Those in a range, in their order."""
    if start <= 0 and below >= _PRIME:
        return hashes
    return [one for one in hashes if start <= one < below]
