"""Which orders does an uploaded file hold, looked up again by their lines?"""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.uploads.upload import Account
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import format_of
from orders.parsed_lines import FilePosition
from orders.plain_text import OpenAt
from orders.upload import lane_of


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order of a file: its line, its id and the body that the API receives."""

    line: int
    order_id: str
    body: bytes


def order_lines(open_at: OpenAt, name: str, limits: ReadingLimits) -> Iterator[OrderLine]:
    """Every order of a file in file order. Raises SourceUnreadable."""
    for batch in parse_file(open_at, format_of(name), FilePosition(), limits):
        for line, order_id, body in zip(batch.numbers, batch.order_ids, batch.bodies, strict=True):
            yield OrderLine(line, order_id, body)


def head_of(account: Account, open_at: OpenAt, limits: ReadingLimits) -> OrderLine | None:
    """The first order of an upload that is not settled, in any of its lanes."""
    lanes = {lane.key.lane: lane for lane in account.lanes}
    for order in order_lines(open_at, account.upload.source.key, limits):
        number = lane_of(order.order_id, account.upload.lanes) if account.upload.lanes else 0
        lane = next((lane for key, lane in lanes.items() if key == number), None)
        if lane is None or not lane.is_settled(order.line):
            return order
    return None
