"""How do many envelopes of one lane become one Kinesis record?

The format is that of the Kinesis Producer Library, which KCL takes apart by itself: 4 bytes magic,
an AggregatedRecord in protobuf, and the MD5 of that message.

    AggregatedRecord: 1 partition_key_table (string), 2 explicit_hash_key_table (string),
                      3 records (Record)
    Record:           1 partition_key_index, 2 explicit_hash_key_index (varints), 3 data (bytes)

(github.com/awslabs/amazon-kinesis-producer, aggregation-format.md.) The lane's hash key stands on
the outer record and on every inner one: KCL drops a whole aggregate, without a word, if one inner
key lies outside the shard that the outer key led to.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import md5
from itertools import accumulate, chain, count, repeat
from typing import Final

from orders.envelope import HEADER, ORDER, VERSION, encode_end

MAGIC: Final = b"\xf3\x89\x9a\xc2"
ENVELOPE_BYTES: Final = 40
"""More than any order's envelope and its place in the aggregate take beside the body."""

_KEY_INDEXES = b"\x08\x00\x10\x00"  # the first partition key, the first hash key
_DATA, _RECORD, _PARTITION_KEY, _HASH_KEY = b"\x1a", b"\x1a", b"\x0a", b"\x12"
_digest = partial(md5, usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One Kinesis record, ready to be put.

    orders: how many it holds. line, ordinal: of the lane's last order up to and with this record.
    """

    partition_key: str
    hash_key: str
    payload: bytes
    orders: int
    line: int
    ordinal: int


class AggregateWriter:
    """Packs one lane; `line` and `ordinal` are those of the last order it was given."""

    def __init__(
        self,
        partition_key: str,
        hash_key: str,
        *,
        line: int = 0,
        ordinal: int = 0,
        aggregate_bytes: int,
    ) -> None:
        """Go on after the lane's order on `line`, its `ordinal`th (0: none yet).

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

    def add(self, numbers: Sequence[int], bodies: Sequence[bytes]) -> Iterator[Aggregate]:
        """Append orders, in the order of their line numbers; yields each aggregate that is full."""
        ends = list(accumulate(len(body) + ENVELOPE_BYTES for body in bodies))
        start = 0
        while start < len(bodies):
            before = ends[start - 1] if start else 0
            stop = bisect_right(ends, self._most_bytes - self._size + before)
            if stop <= start:
                if self._orders:
                    yield self._close()
                    continue
                stop = start + 1  # larger than an aggregate: it gets one of its own
            self._append(numbers[start:stop], bodies[start:stop])
            self._size += ends[stop - 1] - before
            start = stop

    def flush(self) -> Aggregate | None:
        """What is not full yet; None where there is nothing."""
        return self._close() if self._orders else None

    def end(self) -> Aggregate:
        """The lane's end marker, with whatever orders are left before it."""
        data = encode_end(self.line, self.ordinal)
        self._pieces += (_prefixes[len(data) - HEADER.size], data)
        return self._close()

    def _append(self, numbers: Sequence[int], bodies: Sequence[bytes]) -> None:
        # The hot path of packing: one chain of C iterators for all the orders, no Python code for
        # each. An order is its prefix (which depends on its length alone), header and body.
        prefixes = map(_prefixes.__getitem__, map(len, bodies))
        prevs = chain((self.line,), numbers)
        ordinals = count(self.ordinal + 1)
        headers = map(HEADER.pack, repeat(VERSION), repeat(ORDER), numbers, prevs, ordinals)
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


class _Prefixes(dict[int, bytes]):
    """What stands before the header of an order in an aggregate, by the length of its body."""

    def __missing__(self, body_bytes: int) -> bytes:
        size = _varint(HEADER.size + body_bytes)
        record_bytes = len(_KEY_INDEXES + _DATA + size) + HEADER.size + body_bytes
        prefix = _RECORD + _varint(record_bytes) + _KEY_INDEXES + _DATA + size
        if len(self) < _PREFIXES_KEPT:
            self[body_bytes] = prefix
        return prefix


_PREFIXES_KEPT = 10_000
_prefixes = _Prefixes()


def _varint(number: int) -> bytes:
    """A protobuf varint: seven bits a byte, the lowest first, the top bit says that more come."""
    out = bytearray()
    while rest := number >> 7:
        out.append(number & 0x7F | 0x80)
        number = rest
    out.append(number)
    return bytes(out)


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content
