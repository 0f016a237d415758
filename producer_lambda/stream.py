"""How do records get on the stream, as far as the producer must know?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orders.aggregate import Aggregate


class StreamUnavailable(Exception):
    """A whole call failed; whether its records are on the stream is not known."""


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

    def put(self, aggregates: Sequence[Aggregate]) -> Sequence[str | None]:
        """Put records, each for itself: its error code, None where it is in.

        Raises StreamUnavailable, StreamRefused.
        """

    def open_shards(self) -> Sequence[HashRange]:
        """The ranges of the shards that take records now. Raises as `put` does."""
