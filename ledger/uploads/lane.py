"""What is settled of a lane.

A lane is a chain of enqueued orders: each names the line before it (`prev`). The mark is the line
up to which the whole chain is settled (its low watermark); `ahead` holds ranges of the chain that
were settled beyond it; a gap is a range that was settled as missing and may still turn up.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, NewType

from ledger.uploads.lane_range import LaneRange
from orders.outcome import Outcome
from orders.upload import UploadId

LaneNumber = NewType("LaneNumber", int)

RECENT_ORDERS = 1_000
"""How many of a lane's last settled orders the refusal budget looks at."""


class LaneKey(NamedTuple):
    """One lane of one upload; lanes are numbered from 0."""

    upload: UploadId
    lane: LaneNumber


@dataclass(frozen=True, slots=True)
class Tally:
    """Settled orders by outcome."""

    accepted: int = 0
    refused: int = 0
    cancelled: int = 0
    missing: int = 0

    @property
    def settled(self) -> int:
        """All settled orders."""
        return self.accepted + self.refused + self.cancelled + self.missing

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            accepted=self.accepted + other.accepted,
            refused=self.refused + other.refused,
            cancelled=self.cancelled + other.cancelled,
            missing=self.missing + other.missing,
        )

    def plus(self, outcome: Outcome, count: int) -> "Tally":
        """The tally with `count` (which may be negative) added to one outcome."""
        name = outcome.value
        return replace(self, **{name: getattr(self, name) + count})


@dataclass(frozen=True, slots=True)
class Recent:
    """The last settled orders of a lane, newest in the lowest bit; a set bit is a refused order."""

    bits: int = 0
    length: int = 0
    resumed: int = 0  # the `resumed` count of the pace at which it was last emptied

    @property
    def refused(self) -> int:
        """Refused orders among the last `length`."""
        return self.bits.bit_count()

    def plus(self, outcome: Outcome, count: int) -> "Recent":
        """The record after `count` more orders; at most RECENT_ORDERS are remembered."""
        taken = min(count, RECENT_ORDERS)
        new = (1 << taken) - 1 if outcome is Outcome.REFUSED else 0
        bits = (self.bits << taken | new) & ((1 << RECENT_ORDERS) - 1)
        return Recent(bits, min(self.length + count, RECENT_ORDERS), self.resumed)


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane's row of the ledger."""

    key: LaneKey
    mark: int = 0
    ahead: tuple[LaneRange, ...] = ()
    gaps: tuple[LaneRange, ...] = ()
    tally: Tally = Tally()
    recent: Recent = Recent()
    ended: bool = False
    revision: int = 0
    writer: str = ""

    @property
    def mark_ordinal(self) -> int:
        """The ordinal of the order at the mark: how many orders are settled up to it."""
        return self.tally.settled - sum(lane_range.count for lane_range in self.ahead)

    @property
    def settled(self) -> tuple[LaneRange, ...]:
        """All that is settled: up to the mark, and ahead of it."""
        ordinal = self.mark_ordinal
        return (LaneRange(0, self.mark, ordinal, 1), *self.ahead) if ordinal else self.ahead

    def is_missing(self, line: int) -> bool:
        """Was this line settled as missing, so that it is sent if it arrives after all?"""
        return any(gap.holds(line) for gap in self.gaps)

    def is_settled(self, line: int) -> bool:
        """Is this line settled for good, so that a consumer skips it as a repeat?"""
        if line > self.mark and not any(lane_range.holds(line) for lane_range in self.ahead):
            return False
        return not self.is_missing(line)
