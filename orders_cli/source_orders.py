"""The orders of an uploaded file, read again by their lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.ports.uploads import UploadLedger
from ledger.uploads.dead_letter import DeadLetter
from ledger.uploads.upload import Account
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.parsed_lines import FilePosition
from orders.plain_text import OpenAt
from orders.upload import UploadId, lane_number_of

if TYPE_CHECKING:
    from orders_cli.bucket import UploadBucket


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order of a file: its line, its id and the body that the API receives."""

    line: int
    order_id: str
    body: bytes


def order_lines(open_at: OpenAt, name: str, limits: ReadingLimits) -> Iterator[OrderLine]:
    """Every order of a file in file order. Raises SourceUnreadable."""
    for lines in parse_file(open_at, format_of(name), FilePosition(), limits):
        for line, order_id, body in zip(lines.numbers, lines.order_ids, lines.bodies, strict=True):
            yield OrderLine(line, order_id, body)


def orders_of_upload(
    ledger: UploadLedger, bucket: "UploadBucket", upload: UploadId, limits: ReadingLimits
) -> Iterator[OrderLine]:
    """The orders of an upload's file; nothing is read before the first one is needed.

    Raises SourceUnreadable.
    """
    account = ledger.read_account(upload)
    if account is not None:
        source = account.upload.source
        yield from order_lines(bucket.opener(source), source.key, limits)


def head_of(account: Account, open_at: OpenAt, limits: ReadingLimits) -> OrderLine | None:
    """The first order of an upload that is not settled, in any of its lanes."""
    lanes = {int(lane.key.lane): lane for lane in account.lanes}
    for order in order_lines(open_at, account.upload.source.key, limits):
        number = lane_number_of(order.order_id, account.upload.lanes) if account.upload.lanes else 0
        lane = lanes.get(number)
        if lane is None or not lane.is_settled(order.line):
            return order
    return None


def with_bodies(
    letters: Iterable[DeadLetter], orders: Iterator[OrderLine]
) -> Iterator[tuple[DeadLetter, bytes | None, str]]:
    """Dead letters in file order, each with its body, or None and why it is lost.

    orders: those of the uploaded file, read only for bodies that were too large for the ledger. The
        file may be gone by then (a bucket's lifecycle may remove it), so it may raise
        SourceUnreadable.
    """
    order: OrderLine | None = OrderLine(0, "", b"")
    why = "its file has no such order"
    for letter in letters:
        if letter.body:
            yield letter, letter.body, ""
            continue
        try:
            while order is not None and order.line < letter.line:
                order = next(orders, None)
        except SourceUnreadable as error:
            order, why = None, f"its file cannot be read: {error.reason}"
        if order is not None and order.line == letter.line:
            yield letter, order.body, ""
        else:
            yield letter, None, why
