"""Which lane takes each order, and what is ready to be put?"""

from collections.abc import Sequence

from ledger.uploads.upload import LaneTail
from orders.aggregate import Aggregate, AggregateWriter
from orders.parsed_lines import ParsedLines
from orders.upload import UploadId, lane_hash_key, lane_of, partition_key

PACKED_BYTES_MAX = 16 * 1024 * 1024
"""What all lanes together hold back; many lanes have smaller aggregates."""


class Packing:
    """The lanes of one upload, as far as they were packed."""

    def __init__(
        self, upload: UploadId, tails: Sequence[LaneTail], *, aggregate_bytes: int
    ) -> None:
        """Go on after the given ends of the lanes, one a lane."""
        lanes = len(tails)
        self._tails = tails
        self._writers = [
            AggregateWriter(
                partition_key(upload, lane),
                lane_hash_key(upload, lane, lanes),
                line=tail.line,
                ordinal=tail.ordinal,
                aggregate_bytes=min(aggregate_bytes, PACKED_BYTES_MAX // lanes),
            )
            for lane, tail in enumerate(tails)
        ]

    @property
    def last_lines(self) -> tuple[int, ...]:
        """The last line that each lane was given."""
        return tuple(writer.line for writer in self._writers)

    @property
    def orders(self) -> int:
        """Orders of all lanes, over all runs."""
        return sum(writer.ordinal for writer in self._writers)

    def add(self, batch: ParsedLines) -> list[Aggregate]:
        """Pack a batch; returns what is full. Lines that are on the stream already are left out."""
        if len(self._writers) == 1:
            numbers, bodies = _after(batch.numbers, batch.bodies, self._tails[0].line)
            return list(self._writers[0].add(numbers, bodies)) if numbers else []
        lane_numbers: list[list[int]] = [[] for _ in self._writers]
        lane_bodies: list[list[bytes]] = [[] for _ in self._writers]
        lanes = len(self._writers)
        for number, order_id, body in zip(
            batch.numbers, batch.order_ids, batch.bodies, strict=True
        ):
            lane = lane_of(order_id, lanes)
            if number > self._tails[lane].line:
                lane_numbers[lane].append(number)
                lane_bodies[lane].append(body)
        full: list[Aggregate] = []
        for writer, numbers, bodies in zip(self._writers, lane_numbers, lane_bodies, strict=True):
            full.extend(writer.add(numbers, bodies))
        return full

    def flush(self) -> list[Aggregate]:
        """What is not full yet."""
        flushed = (writer.flush() for writer in self._writers)
        return [aggregate for aggregate in flushed if aggregate]

    def end(self) -> list[Aggregate]:
        """What is not full yet and each lane's end marker."""
        return [writer.end() for writer in self._writers]


def _after(
    numbers: Sequence[int], bodies: Sequence[bytes], line: int
) -> tuple[Sequence[int], Sequence[bytes]]:
    if not numbers or numbers[0] > line:
        return numbers, bodies
    first = next((index for index, number in enumerate(numbers) if number > line), len(numbers))
    return numbers[first:], bodies[first:]
