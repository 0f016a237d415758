"""Parsing CSV records.

A record is a physical line, unless a quoted field holds a line feed. A quote that is never closed
must not swallow the rest of the file: if it is not closed within the length of the longest line,
only its own line is invalid and parsing continues with the next.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass

from orders.formats import SourceUnreadable
from orders.line_blocks import LineBlock
from orders.order import NotAnOrder, reason_of
from orders.order_rules import OrderRules
from orders.parsed_lines import FilePosition, InvalidLine, ParsedLines

DELIMITERS = ",;\t|"

_BLANKS = " \t\r"
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a file, from left to right, by the fields they hold, and the delimiter."""

    columns: tuple[str, ...]
    delimiter: str


def parse_header(line: bytes, rules: OrderRules, *, delimiter: str = "") -> CsvHeader:
    """Parse the first line. Without a delimiter, the one that gives the most known columns.

    Raises SourceUnreadable where columns are missing, named twice or not named.
    """
    try:
        text = line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise SourceUnreadable("the header is not UTF-8", line=1) from error
    tried = [_split_header(text, one, rules) for one in delimiter or DELIMITERS]
    header = max(tried, key=lambda h: len(set(h.columns) & set(rules.fields)))
    names = header.columns
    missing = [rules.column_of(name) for name in rules.required if name not in names]
    if missing:
        raise SourceUnreadable(f"the header lacks the columns {', '.join(missing)}", line=1)
    twice = sorted({rules.column_of(name) for name in names if names.count(name) > 1})
    if twice:
        raise SourceUnreadable(f"the header names {', '.join(twice)!r} more than once", line=1)
    return header


def _split_header(text: str, delimiter: str, rules: OrderRules) -> CsvHeader:
    try:
        row = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        row = []
    columns = (name.strip() for name in row)
    return CsvHeader(tuple(rules.columns.get(name, name) for name in columns), delimiter)


class CsvParser:
    """Parses the blocks of one file; holds the record that a block left unfinished."""

    def __init__(self, header: CsvHeader, rules: OrderRules, *, longest_bytes: int) -> None:
        self._header = header
        self._rules = rules
        self._longest_bytes = longest_bytes
        self._begun: list[str] = []  # physical lines of the unfinished record
        self._end = FilePosition()
        self._ends_file = False
        csv.field_size_limit(max(csv.field_size_limit(), longest_bytes + 1))

    def take(self, block: LineBlock) -> ParsedLines:
        """The records that end in this block."""
        text = block.text.decode("utf-8", "surrogateescape")
        self._end, self._ends_file = block.end, block.ends_file
        return self._parse([*self._begun, *text.split("\n")], is_last=False)

    def finish(self) -> ParsedLines | None:
        """The unfinished record, where the text ends or a line too long for any record follows."""
        return self._parse(self._begun, is_last=True) if self._begun else None

    def _parse(self, lines: list[str], *, is_last: bool) -> ParsedLines:
        first_line = self._end.line + 1 - len(lines)
        rules = self._rules
        numbers: list[int] = []
        order_ids: list[str] = []
        bodies: list[bytes] = []
        invalid: list[InvalidLine] = []
        blank = 0
        self._begun = []
        for start, count, row in self._records(lines, is_last=is_last):
            if count == 1 and not lines[start].strip(_BLANKS):
                blank += 1
                continue
            try:
                body = self._body(row)
                order_ids.append(rules.check_line(body).order_id)
            except (_NoRecord, NotAnOrder) as error:
                reason = reason_of(error) if isinstance(error, NotAnOrder) else str(error)
                raw = _encode("\n".join(lines[start : start + count])).removesuffix(b"\r")
                invalid.append(InvalidLine(first_line + start, reason, raw))
                continue
            numbers.append(first_line + start)
            bodies.append(body)
        begun = self._begun
        begun_bytes = _size(begun) - (bool(begun) and self._ends_file)
        end = FilePosition(self._end.offset - begun_bytes, self._end.line - len(begun))
        return ParsedLines(numbers, order_ids, bodies, invalid, blank, end, rules.carries_id)

    def _records(
        self, lines: list[str], *, is_last: bool
    ) -> Iterator[tuple[int, int, list[str] | str]]:
        """The index of its first line, the number of lines, and the row of each record.

        A text in place of a row says what is wrong. A record that the lines do not finish goes to
        `_begun`, unless they are the last.
        """
        start = 0
        while start < len(lines):
            rest = (f"{line}\n" for line in lines[start:])
            reader = csv.reader(rest, delimiter=self._header.delimiter, strict=True)
            base = start
            try:
                for row in reader:
                    count = base + reader.line_num - start
                    yield start, count, row
                    start += count
            except csv.Error as error:
                is_open = base + reader.line_num == len(lines)
                if is_open and not is_last and _size(lines[start:]) <= self._longest_bytes:
                    self._begun = lines[start:]
                    return
                yield start, 1, "a quote is never closed" if is_open else f"is not CSV: {error}"
                start += 1

    def _body(self, row: list[str] | str) -> bytes:
        """Compact JSON in column order; empty optional fields are left out. Raises _NoRecord."""
        if isinstance(row, str):
            raise _NoRecord(row)
        columns = self._header.columns
        if len(row) != len(columns):
            raise _NoRecord(f"has {len(row)} fields where the header has {len(columns)}")
        numbers, required = self._rules.numbers, self._rules.required
        fields: dict[str, object] = {}
        for name, value in zip(columns, row, strict=True):
            if value or name in required:
                fields[name] = numbers[name](value) if name in numbers else value
        try:
            body = _to_json(fields).encode()
        except UnicodeEncodeError as error:
            raise _NoRecord("is not UTF-8") from error
        if b"\\u0000" in body and any("\0" in value for value in row):
            raise _NoRecord("holds a NUL byte")
        if len(body) > self._longest_bytes:
            raise _NoRecord(f"is longer than {self._longest_bytes} bytes")
        return body


class _NoRecord(Exception):
    """What is wrong with a record, as a clause for the file's owner."""


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _size(lines: list[str]) -> int:
    return sum(len(_encode(line)) + 1 for line in lines)
