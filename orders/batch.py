"""What did a part of a file come to: orders, blank lines, and lines that are no order?"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line (a CSV record: the line it starts on) that is no order.

    reason: a clause for the file's owner.
    raw: its bytes without the line ending; only the beginning where `is_cut`.
    """

    line: int
    reason: str
    raw: bytes
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two lines: bytes of plain text and lines dealt with so far."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a file, all of it dealt with.

    numbers, order_ids, bodies: one entry an order, in the order of the file; a number is that of
        the line, a body is what the API shall receive.
    end: where it ends.
    """

    numbers: Sequence[int]
    order_ids: Sequence[str]
    bodies: Sequence[bytes]
    rejected: Sequence[Rejected]
    blank: int
    end: Position
