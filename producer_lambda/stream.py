"""How do records get on the stream, as far as the producer must know?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orders.aggregate import Aggregate


class StreamUnavailable(Exception):
    """A put failed; whether the record is on the stream is not known."""


class StreamThrottled(StreamUnavailable):
    """The shard is written to too fast; the record is not on the stream."""


class OrderingRefused(StreamUnavailable):
    """The stream does not take the sequence number to order by; the record is not on it."""


class StreamRefused(Exception):
    """The stream will not take the call, however often; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message} ({hint})")
        self.hint = hint


@dataclass(frozen=True, slots=True)
class HashRange:
    """The hash keys that one shard takes, both ends included."""

    first: int
    last: int


class RecordStream(Protocol):
    """A Kinesis stream, seen from the writing side."""

    def put(self, aggregate: Aggregate, *, after: str) -> str:
        """Put a record behind the one with the sequence number `after`; its own number.

        With `after` empty, records are ordered only coarsely, by their arrival. Threads may call
        it at once, each for another lane. Raises StreamUnavailable and its kinds, StreamRefused.
        """

    def open_shards(self) -> Sequence[HashRange]:
        """The stretches of the shards that take records now. Raises as `put` does."""
