"""Distributing orders to lanes, and packing each lane."""

from bisect import bisect_right
from collections.abc import Sequence

from ledger.uploads.upload import LaneTail
from orders.aggregate import Aggregate, AggregateWriter
from orders.envelope import VERSION, VERSION_WITH_ID, body_with_id
from orders.parsed_lines import ParsedLines
from orders.upload import UploadId, lane_hash_key, lane_number_of, partition_key

PACKED_BYTES_MAX = 16 * 1024 * 1024
"""The limit for all lanes together: with many lanes, aggregates are smaller."""


class Packing:
    """The lanes of one upload, packed up to some line."""

    def __init__(
        self, upload: UploadId, tails: Sequence[LaneTail], *, aggregate_bytes: int
    ) -> None:
        """Continue after the tails, one per lane."""
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

    def add(self, lines: ParsedLines) -> list[Aggregate]:
        """Pack orders, skipping those already on the stream; returns the full aggregates."""
        version, contents = _contents(lines)
        if len(self._writers) == 1:
            first = bisect_right(lines.numbers, self._tails[0].line)
            (writer,) = self._writers
            return list(writer.add(lines.numbers[first:], contents[first:], version=version))
        lane_numbers: list[list[int]] = [[] for _ in self._writers]
        lane_bodies: list[list[bytes]] = [[] for _ in self._writers]
        lanes = len(self._writers)
        for number, order_id, body in zip(lines.numbers, lines.order_ids, contents, strict=True):
            lane = lane_number_of(order_id, lanes)
            if number > self._tails[lane].line:
                lane_numbers[lane].append(number)
                lane_bodies[lane].append(body)
        full: list[Aggregate] = []
        for writer, numbers, bodies in zip(self._writers, lane_numbers, lane_bodies, strict=True):
            full.extend(writer.add(numbers, bodies, version=version))
        return full

    def flush(self) -> list[Aggregate]:
        """The aggregates that are not full."""
        flushed = (writer.flush() for writer in self._writers)
        return [aggregate for aggregate in flushed if aggregate]

    def end(self) -> list[Aggregate]:
        """The aggregates that are not full, with each lane's end marker."""
        return [writer.end() for writer in self._writers]


def _contents(lines: ParsedLines) -> tuple[int, Sequence[bytes]]:
    """The version of the orders' envelopes, and what follows the header of each."""
    if not lines.carries_id:
        return VERSION, lines.bodies
    return VERSION_WITH_ID, list(map(body_with_id, lines.order_ids, lines.bodies))
