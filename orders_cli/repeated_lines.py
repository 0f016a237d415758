"""Which lines of a local file repeat an order id, in sentences."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.parsed_lines import FilePosition, ParsedLines
from orders.repeated_ids import RepeatedId
from orders_cli.local_file import local_opener
from orders_cli.quantities import count

REPEATS_SHOWN = 5


def repeat_sentences(repeats: Iterable[RepeatedId], *, shown: int = REPEATS_SHOWN) -> Iterator[str]:
    """What a person is told of the orders that repeat an id."""
    found = iter(repeats)
    for one in islice(found, shown):
        yield f"Line {one.line} repeats the order id {one.order_id!r} of line {one.first_line}."
    if more := sum(1 for _ in found):
        yield f"{count(more, 'more order')} repeat an order id of this file."


def parts_of(file: Path, limits: ReadingLimits) -> Iterator[ParsedLines]:
    """A local file as the producer reads it, as far as it can be read."""
    try:
        yield from parse_file(local_opener(file), format_of(file.name), FilePosition(), limits)
    except SourceUnreadable:
        return
