"""What is left of a stretch of a lane once others are taken away?

A stretch is a piece of a lane's chain: orders that follow each other. Its ends are named by lines,
which never change; its orders are counted by ordinals, so that a piece of it is counted exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """The `count` orders after the line `prev` up to `line`.

    prev: the lane's enqueued line before the first of them, 0 where there is none.
    first_ordinal: the ordinal of the first of them.
    """

    prev: int
    line: int
    count: int
    first_ordinal: int

    @property
    def last_ordinal(self) -> int:
        """The ordinal of the last of them."""
        return self.first_ordinal + self.count - 1

    def holds(self, line: int) -> bool:
        """Is this line one of the stretch?"""
        return self.prev < line <= self.line

    def overlaps(self, other: "Stretch") -> bool:
        """Have they an order in common?"""
        return self.prev < other.line and other.prev < self.line

    def outside(self, other: "Stretch") -> tuple["Stretch", ...]:
        """What of this stretch lies before and after the other one.

        Lines decide; where ordinals do not fit to them, a piece holds one order at least.
        """
        pieces: list[Stretch] = []
        if self.prev < other.prev:
            count = max(min(other.first_ordinal, self.last_ordinal) - self.first_ordinal, 1)
            pieces.append(Stretch(self.prev, other.prev, count, self.first_ordinal))
        if other.line < self.line:
            count = max(self.last_ordinal - max(other.last_ordinal, self.first_ordinal), 1)
            first_ordinal = self.last_ordinal - count + 1
            pieces.append(Stretch(other.line, self.line, count, first_ordinal))
        return tuple(pieces)

    def orders_within(self, other: "Stretch") -> int:
        """How many orders of this stretch lie in the other one, which overlaps it."""
        first = max(self.first_ordinal, other.first_ordinal)
        last = min(self.last_ordinal, other.last_ordinal)
        return max(last - first + 1, 1)


def without(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """What is left of the stretches."""
    left = tuple(stretches)
    for other in taken:
        if any(stretch.overlaps(other) for stretch in left):
            left = tuple(
                piece
                for stretch in left
                for piece in (stretch.outside(other) if stretch.overlaps(other) else (stretch,))
            )
    return left


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The stretches in the order of their lines, neighbours made one; none overlaps another."""
    result: list[Stretch] = []
    for stretch in sorted(stretches, key=lambda stretch: stretch.line):
        last = result[-1] if result else None
        if last and last.line == stretch.prev:
            count = last.count + stretch.count
            result[-1] = Stretch(last.prev, stretch.line, count, last.first_ordinal)
        else:
            result.append(stretch)
    return tuple(result)
