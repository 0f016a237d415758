"""Parsing a block of JSON lines."""

from orders.line_blocks import LineBlock
from orders.order import (
    NotAnOrder,
    Order,
    check_line,
    check_unusual_line,
    looks_unusual,
    reason_of,
)
from orders.parsed_lines import InvalidLine, ParsedLines
from orders.plain_text import BOM

_BLANKS = b" \t"


def parse_json_lines(block: LineBlock) -> ParsedLines:
    """Check every line; the body of an order is its line, byte for byte, without the ending."""
    text = block.text.removeprefix(BOM) if block.first_line == 1 else block.text
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").removesuffix(b"\r")
    lines = text.split(b"\n")
    end = block.end

    # The hot loop: nearly all of the time is spent in `check`. Calling it by a local name, keeping
    # no Order (live objects cost 20 % in the garbage collector) and looking for unusual lines once
    # per block make it as fast as pydantic alone.
    check = _check_each if looks_unusual(text) else check_line
    order_ids: list[str] = []
    failed: list[tuple[int, NotAnOrder]] = []
    for index, line in enumerate(lines):
        try:
            order_ids.append(check(line).order_id)
        except NotAnOrder as error:
            failed.append((index, error))

    numbers = range(block.first_line, end.line + 1)
    if not failed:
        return ParsedLines(numbers, order_ids, lines, (), 0, end)
    invalid = [
        InvalidLine(numbers[index], reason_of(error), lines[index])
        for index, error in failed
        if lines[index].strip(_BLANKS)
    ]
    failed_at = {index for index, _ in failed}
    valid = [index for index in range(len(lines)) if index not in failed_at]
    return ParsedLines(
        [numbers[index] for index in valid],
        order_ids,
        [lines[index] for index in valid],
        invalid,
        len(failed) - len(invalid),
        end,
    )


def _check_each(line: bytes) -> Order:
    return check_unusual_line(line) if looks_unusual(line) else check_line(line)
