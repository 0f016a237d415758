"""Ranges of a lane, and their differences.

A range is a run of consecutive orders in a lane. Its ends are named by lines, which never change;
its orders are counted by ordinals, so that a piece of it is counted exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LaneRange:
    """The `count` orders after the line `prev` up to `line`.

    prev: the lane's enqueued line before the first of them, 0 if there is none.
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
        """Is this line one of the range?"""
        return self.prev < line <= self.line

    def overlaps(self, other: "LaneRange") -> bool:
        """Do they have an order in common?"""
        return self.prev < other.line and other.prev < self.line

    def outside(self, other: "LaneRange") -> tuple["LaneRange", ...]:
        """The parts of this range that are not in the other one.

        Lines decide; where ordinals do not agree with them, a part holds at least one order.
        """
        if not self.overlaps(other):
            return (self,)
        pieces: list[LaneRange] = []
        if self.prev < other.prev:
            count = max(min(other.first_ordinal, self.last_ordinal) - self.first_ordinal, 1)
            pieces.append(LaneRange(self.prev, other.prev, count, self.first_ordinal))
        if other.line < self.line:
            count = max(self.last_ordinal - max(other.last_ordinal, self.first_ordinal), 1)
            first_ordinal = self.last_ordinal - count + 1
            pieces.append(LaneRange(other.line, self.line, count, first_ordinal))
        return tuple(pieces)

    def orders_within(self, other: "LaneRange") -> int:
        """How many orders of this range are in the other one, which overlaps it."""
        first = max(self.first_ordinal, other.first_ordinal)
        last = min(self.last_ordinal, other.last_ordinal)
        return max(last - first + 1, 1)


def without(ranges: Iterable[LaneRange], taken: Iterable[LaneRange]) -> tuple[LaneRange, ...]:
    """What is left of the ranges without the taken ones."""
    left = tuple(ranges)
    for other in taken:
        left = tuple(piece for lane_range in left for piece in lane_range.outside(other))
    return left


def joined(ranges: Iterable[LaneRange]) -> tuple[LaneRange, ...]:
    """Ranges that do not overlap, in the order of their lines, with neighbours merged."""
    result: list[LaneRange] = []
    for lane_range in sorted(ranges, key=lambda lane_range: lane_range.line):
        last = result[-1] if result else None
        if last and last.line == lane_range.prev:
            count = last.count + lane_range.count
            result[-1] = LaneRange(last.prev, lane_range.line, count, last.first_ordinal)
        else:
            result.append(lane_range)
    return tuple(result)
