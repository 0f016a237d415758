"""Aggregating envelopes of one lane into one Kinesis record.

The format is that of the Kinesis Producer Library, which KCL de-aggregates: 4 bytes magic,
an AggregatedRecord in protobuf, and the MD5 of that message.

    AggregatedRecord: 1 partition_key_table (string), 2 explicit_hash_key_table (string),
                      3 records (Record)
    Record:           1 partition_key_index, 2 explicit_hash_key_index (varints), 3 data (bytes)

(github.com/awslabs/amazon-kinesis-producer, aggregation-format.md.) The lane's hash key stands on
the outer record and on every inner one: KCL silently drops a whole aggregate if one inner key is
outside the shard that the outer key selected.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import md5
from itertools import accumulate, chain, count, repeat
from typing import Final

from orders.envelope import HEADER, ORDER, VERSION, encode_end

MAGIC: Final = b"\xf3\x89\x9a\xc2"
ENVELOPE_BYTES: Final = 40
"""An upper bound of what the envelope and the aggregate add to an order's body."""

_KEY_INDEXES = b"\x08\x00\x10\x00"  # the first partition key, the first hash key
_DATA, _RECORD, _PARTITION_KEY, _HASH_KEY = b"\x1a", b"\x1a", b"\x0a", b"\x12"
_digest = partial(md5, usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One Kinesis record, ready to put.

    orders: how many it holds. line, ordinal: of the lane's last order in it or before it.
    """

    partition_key: str
    hash_key: str
    payload: bytes
    orders: int
    line: int
    ordinal: int


class AggregateWriter:
    """Packs one lane; `line` and `ordinal` are those of the last order added."""

    def __init__(
        self,
        partition_key: str,
        hash_key: str,
        *,
        line: int = 0,
        ordinal: int = 0,
        aggregate_bytes: int,
    ) -> None:
        """Continue after the lane's order on `line`, its `ordinal`th (0: none yet).

        An aggregate holds one order, or as many as fit into aggregate_bytes.
        """
        self.line = line
        self.ordinal = ordinal
        self._partition_key = partition_key
        self._hash_key = hash_key
        self._most_bytes = aggregate_bytes
        self._head = (
            MAGIC
            + (_PARTITION_KEY + _sized(partition_key.encode()))
            + (_HASH_KEY + _sized(hash_key.encode()))
        )
        self._pieces: list[bytes] = [self._head]
        self._size = len(self._head)
        self._orders = 0

    def add(
        self, numbers: Sequence[int], bodies: Sequence[bytes], *, version: int = VERSION
    ) -> Iterator[Aggregate]:
        """Append orders in the order of their lines; yields each full aggregate.

        bodies: what follows the header in an envelope of this version.
        """
        ends = list(accumulate(len(body) + ENVELOPE_BYTES for body in bodies))
        start = 0
        while start < len(bodies):
            before = ends[start - 1] if start else 0
            stop = bisect_right(ends, self._most_bytes - self._size + before)
            if stop <= start:
                if self._orders:
                    yield self._close()
                    continue
                stop = start + 1  # larger than an aggregate: it gets its own
            self._append(version, numbers[start:stop], bodies[start:stop])
            self._size += ends[stop - 1] - before
            start = stop

    def flush(self) -> Aggregate | None:
        """The aggregate that is not full; None if it is empty."""
        return self._close() if self._orders else None

    def end(self) -> Aggregate:
        """The aggregate that is not full, with the lane's end marker."""
        data = encode_end(self.line, self.ordinal)
        self._pieces += (_prefix(len(data) - HEADER.size), data)
        return self._close()

    def _append(self, version: int, numbers: Sequence[int], bodies: Sequence[bytes]) -> None:
        # The hot path of packing: one chain of C iterators for all orders, no Python code for each.
        # An order is its prefix (which depends only on its length), header and body.
        prefixes = map(_prefix, map(len, bodies))
        prevs = chain((self.line,), numbers)
        ordinals = count(self.ordinal + 1)
        headers = map(HEADER.pack, repeat(version), repeat(ORDER), numbers, prevs, ordinals)
        self._pieces.extend(chain.from_iterable(zip(prefixes, headers, bodies, strict=True)))
        self.line = numbers[-1]
        self.ordinal += len(numbers)
        self._orders += len(numbers)

    def _close(self) -> Aggregate:
        content = b"".join(self._pieces)
        checksum = _digest(memoryview(content)[len(MAGIC) :]).digest()
        aggregate = Aggregate(
            self._partition_key,
            self._hash_key,
            content + checksum,
            self._orders,
            self.line,
            self.ordinal,
        )
        self._pieces, self._size, self._orders = [self._head], len(self._head), 0
        return aggregate


@lru_cache(maxsize=10_000)
def _prefix(body_bytes: int) -> bytes:
    """The bytes before the header of an order in an aggregate, by the length of its body."""
    size = _varint(HEADER.size + body_bytes)
    record_bytes = len(_KEY_INDEXES + _DATA + size) + HEADER.size + body_bytes
    return _RECORD + _varint(record_bytes) + _KEY_INDEXES + _DATA + size


def _varint(number: int) -> bytes:
    """A protobuf varint: seven bits per byte, lowest first; the top bit means that more follow."""
    out = bytearray()
    while rest := number >> 7:
        out.append(number & 0x7F | 0x80)
        number = rest
    out.append(number)
    return bytes(out)


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content
