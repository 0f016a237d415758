"""Which order ids stand in a file more than once?

The first pass keeps 8 bytes an order (a hash of its id, in parts that are sorted one by one), the
second one, needed only where two hashes are equal, tells real repeats from chance. So the answer is
exact, and a million orders take 8 MB; the ids that do repeat are kept besides.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from orders.parsed_lines import ParsedLines

_PARTS = 256


@dataclass(frozen=True, slots=True)
class RepeatedId:
    """An order whose id an earlier line of the file has: `first_line`, the first of them."""

    line: int
    order_id: str
    first_line: int


def repeated_ids(read: Callable[[], Iterable[ParsedLines]]) -> Iterator[RepeatedId]:
    """Every order that repeats an id, in file order.

    read: reads the file from its beginning, the same each time; it is called once or twice, and
    its errors pass through.
    """
    suspects = _equal_hashes(read())
    if not suspects:
        return
    first_lines: dict[str, int] = {}
    for lines in read():
        for line, order_id in zip(lines.numbers, lines.order_ids, strict=True):
            if hash(order_id) in suspects:
                first = first_lines.setdefault(order_id, line)
                if first != line:
                    yield RepeatedId(line, order_id, first)


def _equal_hashes(parts: Iterable[ParsedLines]) -> frozenset[int]:
    hashes = [array("q") for _ in range(_PARTS)]
    for lines in parts:
        for number in map(hash, lines.order_ids):
            hashes[number % _PARTS].append(number)
    return frozenset(
        one for part in hashes for one, other in pairwise(sorted(part)) if one == other
    )
