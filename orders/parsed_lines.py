"""Part of a file, parsed: its orders, its blank lines, and the lines that are not orders."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvalidLine:
    """A line (a CSV record: the line it starts on) that is not an order.

    reason: a clause for the file's owner.
    raw: its bytes without the line ending; only the beginning where `is_cut`.
    """

    line: int
    reason: str
    raw: bytes
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class FilePosition:
    """A place between two lines: bytes of plain text and lines before it."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class ParsedLines:
    """Consecutive lines of a file.

    numbers, order_ids, bodies: one entry per order, in file order; a number is that of the line, a
        body is what the API receives.
    end: the position after the last line.
    carries_id: the orders' ids go on the stream beside the bodies.
    """

    numbers: Sequence[int]
    order_ids: Sequence[str]
    bodies: Sequence[bytes]
    invalid: Sequence[InvalidLine]
    blank: int
    end: FilePosition
    carries_id: bool = False
