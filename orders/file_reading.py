"""Parsing a file of orders from any position on."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from orders.csv_records import CsvHeader, CsvParser, parse_header
from orders.formats import BOM, Format, Layout, SourceUnreadable
from orders.json_lines import parse_json_lines
from orders.line_blocks import LongLine, split_blocks
from orders.order_rules import ORDINARY, OrderRules
from orders.parsed_lines import FilePosition, InvalidLine, ParsedLines
from orders.plain_text import BrokenGzip, OpenAt, plain_text

LONGEST_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """longest_bytes: of a line. delimiter: of CSV fields; empty: found from the header.

    rules: what an order is.
    """

    longest_bytes: int = LONGEST_BYTES
    delimiter: str = ""
    rules: OrderRules = ORDINARY


def parse_file(
    open_at: OpenAt, form: Format, start: FilePosition, limits: ReadingLimits
) -> Iterator[ParsedLines]:
    """Everything from `start` on, in parts of about the size of the chunks from `open_at`.

    Continuing from the `end` of any part gives exactly what would have followed it. Raises
    SourceUnreadable with the line from which the file is not what its name says; every whole line
    before it was yielded. Errors of `open_at` pass through.
    """
    line = start.line
    try:
        parser = None
        if form.layout is Layout.CSV:
            header, after_header = _find_header(open_at, form, limits)
            start = max(start, after_header, key=lambda position: position.offset)
            if header:
                parser = CsvParser(header, limits.rules, longest_bytes=limits.longest_bytes)
        for part in _parts(plain_text(open_at, form, start.offset), start, limits, parser):
            line = part.end.line
            yield part
    except BrokenGzip as error:
        raise SourceUnreadable(f"{error}", line=line + 1) from error


def _parts(
    text: Iterator[bytes], start: FilePosition, limits: ReadingLimits, csv_parser: CsvParser | None
) -> Iterator[ParsedLines]:
    for piece in split_blocks(text, start=start, longest_bytes=limits.longest_bytes):
        if isinstance(piece, LongLine):
            if csv_parser and (part := csv_parser.finish()):
                yield part
            reason = f"is longer than {limits.longest_bytes} bytes"
            invalid = InvalidLine(piece.line, reason, piece.beginning, is_cut=True)
            yield ParsedLines((), (), (), (invalid,), 0, piece.end)
        elif csv_parser:
            yield csv_parser.take(piece)
        else:
            yield parse_json_lines(piece, limits.rules)
    if csv_parser and (part := csv_parser.finish()):
        yield part


def _find_header(
    open_at: OpenAt, form: Format, limits: ReadingLimits
) -> tuple[CsvHeader | None, FilePosition]:
    """The header and where the first record begins; None for a file without any line."""
    with closing(plain_text(open_at, form, 0)) as text:
        line = bytearray()
        for chunk in text:
            line += chunk
            if b"\n" in chunk or len(line) > limits.longest_bytes:
                break
    if not line:
        return None, FilePosition()
    first, ending, _ = bytes(line).partition(b"\n")
    if len(first) > limits.longest_bytes:
        raise SourceUnreadable(f"the header is longer than {limits.longest_bytes} bytes", line=1)
    header = parse_header(first.removeprefix(BOM), limits.rules, delimiter=limits.delimiter)
    return header, FilePosition(len(first) + len(ending), 1)
