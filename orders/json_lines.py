"""Parsing a block of JSON lines."""

from collections.abc import Callable

from orders.formats import BOM
from orders.line_blocks import LineBlock
from orders.order import NotAnOrder, reason_of
from orders.order_rules import Checked, OrderRules
from orders.parsed_lines import InvalidLine, ParsedLines

_BLANKS = b" \t"


def parse_json_lines(block: LineBlock, rules: OrderRules) -> ParsedLines:
    """Check every line; the body of an order is its line, byte for byte, without the ending."""
    text = block.text.removeprefix(BOM) if block.first_line == 1 else block.text
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").removesuffix(b"\r")
    lines = text.split(b"\n")
    end = block.end

    # The hot loop: nearly all of the time is spent in `check`. Calling it by a local name, keeping
    # no Order (live objects cost 20 % in the garbage collector) and looking for unusual lines once
    # per block make it as fast as pydantic alone.
    check = _checking_each(rules) if rules.looks_unusual(text) else rules.check_line
    order_ids: list[str] = []
    failed: list[tuple[int, NotAnOrder]] = []
    for index, line in enumerate(lines):
        try:
            order_ids.append(check(line).order_id)
        except NotAnOrder as error:
            failed.append((index, error))

    numbers = range(block.first_line, end.line + 1)
    if not failed:
        return ParsedLines(numbers, order_ids, lines, (), 0, end, rules.carries_id)
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
        rules.carries_id,
    )


def _checking_each(rules: OrderRules) -> Callable[[bytes], Checked]:
    def check(line: bytes) -> Checked:
        is_unusual = rules.looks_unusual(line)
        return rules.check_unusual_line(line) if is_unusual else rules.check_line(line)

    return check
