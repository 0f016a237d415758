"""What cannot be read ends the process: kclpy would pass it over, and the records be lost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from consumer.kcl.processor import RecordProcessor


class Broken:
    """An input of kclpy of which nothing can be read."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever kclpy has
        """Fails as where memory is short."""
        raise MemoryError


@dataclass
class Record:
    """A record that cannot be read."""

    partition_key: str = "x"
    sequence_number: str = "1"
    sub_sequence_number: int = 0

    @property
    def binary_data(self) -> bytes:
        """Fails as where memory is short."""
        raise MemoryError


@dataclass
class Records:
    """What kclpy hands over."""

    records: list[Record]
    checkpointer: object = None


@dataclass
class IdleShard:
    """A shard that notes what it was asked for."""

    asked: list[str] = field(default_factory=list)

    def begin(self, shard: str) -> None:
        """See Shard.begin."""
        self.asked.append(f"begin {shard}")

    def feed(self, *_: object) -> None:
        """See Shard.feed."""
        self.asked.append("feed")

    def drain(self, *_: object) -> None:
        """See Shard.drain."""
        self.asked.append("drain")

    def give_up(self) -> None:
        """See Shard.give_up."""
        self.asked.append("give up")

    def stop(self) -> None:
        """See Shard.stop."""
        self.asked.append("stop")


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("initialize", Broken),
        ("process_records", Broken),
        ("process_records", lambda: Records([Record()])),
        ("shard_ended", Broken),
    ],
)
def test_an_input_that_cannot_be_read_ends_the_process_and_nothing_is_taken(
    message: str, given: Callable[[], object]
) -> None:
    died: list[BaseException] = []
    shard = IdleShard()
    processor = RecordProcessor(shard, died.append)

    getattr(processor, message)(given())

    assert [type(error) for error in died] == [MemoryError]
    assert shard.asked == []


@dataclass
class Checkpointer:
    """A daemon that takes every checkpoint; it notes them where the shard notes what it does."""

    asked: list[str]

    def checkpoint(self, *position: object) -> None:
        """See kclpy's Checkpointer."""
        self.asked.append(f"checkpoint {position}")


def test_a_shard_is_given_up_once_its_end_is_written() -> None:
    died: list[BaseException] = []
    shard = IdleShard()

    RecordProcessor(shard, died.append).shard_ended(Records([], Checkpointer(shard.asked)))

    assert shard.asked == ["drain", "checkpoint ()", "give up"]
    assert not died
