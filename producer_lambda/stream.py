"""The stream as the producer sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orders.aggregate import Aggregate


class StreamUnavailable(Exception):
    """A put failed; whether the record is on the stream is unknown."""


class StreamThrottled(StreamUnavailable):
    """The shard's write rate was exceeded; the record is not on the stream."""


class OrderingRefused(StreamUnavailable):
    """The stream rejects the sequence number to order by; the record is not on it."""


class StreamRefused(Exception):
    """Retrying is useless; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message} ({hint})")
        self.hint = hint


@dataclass(frozen=True, slots=True)
class HashRange:
    """The hash keys of one shard, both ends included."""

    first: int
    last: int


class RecordStream(Protocol):
    """A Kinesis stream, seen from the writing side."""

    def put(self, aggregate: Aggregate, *, after: str) -> str:
        """Put a record after the one with the sequence number `after`; returns its own number.

        With `after` empty, records are ordered only coarsely, by their arrival. Threads may call
        it concurrently for different lanes. Raises StreamUnavailable or StreamRefused.
        """

    def open_shards(self) -> Sequence[HashRange]:
        """The stretches of the shards that take records now. Raises as `put` does."""
