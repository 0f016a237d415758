"""Which orders does a file hold, from a given position on?"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from orders.csv_records import CsvHeader, CsvReader, read_header
from orders.formats import Format, Layout, SourceUnreadable
from orders.json_lines import read_json_lines
from orders.line_blocks import LineBlock, LongLine, split_blocks
from orders.parsed_lines import FilePosition, InvalidLine, ParsedLines
from orders.plain_text import BOM, BrokenGzip, OpenAt, plain_text

LONGEST_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """longest_bytes: of a line. delimiter: of CSV fields; empty: read from the header."""

    longest_bytes: int = LONGEST_BYTES
    delimiter: str = ""


def parse_file(
    open_at: OpenAt, form: Format, start: FilePosition, limits: ReadingLimits
) -> Iterator[ParsedLines]:
    """Everything from `start` on, in batches of about the size of the chunks that `open_at` gives.

    Reading on from the `end` of any batch gives exactly what would have followed it. Raises
    SourceUnreadable with the line where the file stops being what its name says; every whole line
    before it was given. Errors of `open_at` pass through.
    """
    line = start.line
    try:
        header = None
        if form.layout is Layout.CSV:
            header, after_header = _find_header(open_at, form, limits)
            start = max(start, after_header, key=lambda position: position.offset)
        for batch in _batches(open_at, form, start, limits, header):
            line = batch.end.line
            yield batch
    except BrokenGzip as error:
        raise SourceUnreadable(f"{error}", line=line + 1) from error


def _batches(
    open_at: OpenAt,
    form: Format,
    start: FilePosition,
    limits: ReadingLimits,
    header: CsvHeader | None,
) -> Iterator[ParsedLines]:
    csv_reader = CsvReader(header, longest_bytes=limits.longest_bytes) if header else None
    text = plain_text(open_at, form, start.offset)
    for piece in split_blocks(
        text, offset=start.offset, line=start.line, longest_bytes=limits.longest_bytes
    ):
        if isinstance(piece, LongLine):
            if csv_reader and (batch := csv_reader.finish()):
                yield batch
            yield _reject_long(piece, limits.longest_bytes)
        elif csv_reader:
            yield csv_reader.take(piece)
        else:
            yield read_json_lines(_without_bom(piece))
    if csv_reader and (batch := csv_reader.finish()):
        yield batch


def _without_bom(block: LineBlock) -> LineBlock:
    if block.first_line == 1 and block.text.startswith(BOM):
        return replace(block, text=block.text[len(BOM) :])
    return block


def _reject_long(long: LongLine, longest_bytes: int) -> ParsedLines:
    reason = f"is longer than {longest_bytes} bytes"
    rejected = InvalidLine(long.line, reason, long.beginning, is_cut=True)
    return ParsedLines((), (), (), (rejected,), 0, FilePosition(long.offset, long.line))


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
    header = read_header(first.removeprefix(BOM), delimiter=limits.delimiter)
    return header, FilePosition(len(first) + len(ending), 1)
