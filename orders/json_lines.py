"""Which orders does a block of JSON lines hold?"""

from orders.line_blocks import LineBlock
from orders.order import (
    NotAnOrder,
    Order,
    check_line,
    check_unusual_line,
    looks_unusual,
    reason_of,
)
from orders.parsed_lines import FilePosition, InvalidLine, ParsedLines

_BLANKS = b" \t"


def read_json_lines(block: LineBlock) -> ParsedLines:
    """Check every line; the body of an order is its line, byte for byte, without the ending."""
    text = block.text
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").removesuffix(b"\r")
    lines = text.split(b"\n")
    end = FilePosition(block.offset, block.first_line + block.count - 1)

    # The hot loop: nearly all of the time is spent in `check`. Calling it by a local name, keeping
    # no Order (a live object costs the garbage collector 20 %) and looking for the unusual once a
    # block is what makes it as fast as pydantic alone.
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
    rejected = tuple(
        InvalidLine(numbers[index], reason_of(error), lines[index])
        for index, error in failed
        if lines[index].strip(_BLANKS)
    )
    out = {index for index, _ in failed}
    left = [index for index in range(len(lines)) if index not in out]
    return ParsedLines(
        [numbers[index] for index in left],
        order_ids,
        [lines[index] for index in left],
        rejected,
        len(failed) - len(rejected),
        end,
    )


def _check_each(line: bytes) -> Order:
    return check_unusual_line(line) if looks_unusual(line) else check_line(line)
