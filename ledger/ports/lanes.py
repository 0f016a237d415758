"""What of a lane is settled, and how does that grow?

A lane is a chain of enqueued orders: each names the line before it (`prev`). The mark is the line
up to which the whole chain is settled; `ahead` holds stretches of the chain that were settled
beyond it; a gap is a stretch that was settled as missing and may still turn up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NewType, Protocol

from orders.outcome import Outcome
from orders.upload import UploadId

LaneNumber = NewType("LaneNumber", int)

RECENT_ORDERS = 1_000
"""How many of a lane's last settled orders the refusal budget looks at."""


@dataclass(frozen=True, slots=True)
class LaneKey:
    """One lane of one upload; lanes are numbered from 0."""

    upload: UploadId
    lane: LaneNumber


@dataclass(frozen=True, slots=True)
class Span:
    """Orders that follow each other in a lane and came to one outcome.

    prev: the lane's enqueued line before the span, 0 where there is none.
    line: the last line of the span.
    count: how many orders it holds, 1 or more.
    first_ordinal: the ordinal of its first order.
    """

    prev: int
    line: int
    count: int
    first_ordinal: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reach:
    """A stretch of the chain, all of it settled: the `count` orders after `prev` up to `line`."""

    prev: int
    line: int
    count: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the chain that never came: `count` orders after `prev` up to `line`."""

    prev: int
    line: int
    count: int
    first_ordinal: int

    def holds(self, line: int) -> bool:
        """Is this line one of the missing stretch?"""
        return self.prev < line <= self.line


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

    def and_tally(self, other: "Tally") -> "Tally":
        """The orders of both tallies."""
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
        return replace(self, bits=bits, length=min(self.length + count, RECENT_ORDERS))


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane's row of the ledger."""

    key: LaneKey
    mark: int = 0
    ahead: tuple[Reach, ...] = ()
    gaps: tuple[Gap, ...] = ()
    tally: Tally = Tally()
    recent: Recent = Recent()
    ended: bool = False
    revision: int = 0
    writer: str = ""

    @property
    def mark_ordinal(self) -> int:
        """The ordinal of the order at the mark: how many orders are settled up to it."""
        return self.tally.settled - sum(reach.count for reach in self.ahead)

    def is_missing(self, line: int) -> bool:
        """Was this line settled as missing, so that it is sent if it comes after all?"""
        return any(gap.holds(line) for gap in self.gaps)

    def is_settled(self, line: int) -> bool:
        """Is this line settled for good, so that a consumer skips it as a repeat?"""
        if line > self.mark and not any(r.prev < line <= r.line for r in self.ahead):
            return False
        return not self.is_missing(line)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one settle adds to a lane; settling the same lines again changes nothing.

    ended: the lane's end marker was reached and everything before it is settled.
    resumed: the `resumed` count of the pace as the writer knows it; a higher one than the lane's
        empties the record that the refusal budget looks at.
    """

    spans: tuple[Span, ...] = ()
    ended: bool = False
    resumed: int = 0


def settle(lane: Lane, settlement: Settlement, *, writer: str) -> Lane:
    """The lane after a settlement; pure, and the same for every ledger adapter.

    A span whose lines are settled already is left out, so a late but true settle is welcome and a
    repeated one does no harm. `writer` names this one write, so that its own retry is recognised.
    """
    tally, recent, gaps = lane.tally, lane.recent, lane.gaps
    if settlement.resumed > recent.resumed:
        recent = Recent(resumed=settlement.resumed)
    reaches = list(lane.ahead)
    for span in settlement.spans:
        if span.outcome is not Outcome.MISSING and any(gap.holds(span.line) for gap in gaps):
            gaps = _without(gaps, span)
            tally = tally.plus(Outcome.MISSING, -1)
        elif lane.is_settled(span.line) or lane.is_missing(span.line):
            continue
        else:
            reaches.append(Reach(span.prev, span.line, span.count))
        if span.outcome is Outcome.MISSING:
            gaps = (*gaps, Gap(span.prev, span.line, span.count, span.first_ordinal))
        tally = tally.plus(span.outcome, span.count)
        recent = recent.plus(span.outcome, span.count)
    mark, ahead = _advance(lane.mark, reaches)
    return replace(
        lane,
        mark=mark,
        ahead=ahead,
        gaps=gaps,
        tally=tally,
        recent=recent,
        ended=lane.ended or settlement.ended,
        revision=lane.revision + 1,
        writer=writer,
    )


def _advance(mark: int, reaches: Sequence[Reach]) -> tuple[int, tuple[Reach, ...]]:
    """Let the mark swallow every stretch that it touches, and join those that touch each other."""
    ahead: list[Reach] = []
    for reach in sorted(reaches, key=lambda reach: reach.line):
        if reach.prev <= mark:
            mark = max(mark, reach.line)
        elif ahead and reach.prev <= ahead[-1].line:
            last = ahead[-1]
            line = max(last.line, reach.line)
            ahead[-1] = Reach(last.prev, line, last.count + reach.count)
        else:
            ahead.append(reach)
    return mark, tuple(ahead)


def _without(gaps: tuple[Gap, ...], span: Span) -> tuple[Gap, ...]:
    """The gaps after one missing order came: its gap falls into what was before and after it."""
    left: list[Gap] = []
    for gap in gaps:
        if not gap.holds(span.line):
            left.append(gap)
            continue
        before = min(max(span.first_ordinal - gap.first_ordinal, 0), gap.count - 1)
        after = gap.count - before - 1
        if before:
            left.append(Gap(gap.prev, span.prev, before, gap.first_ordinal))
        if after:
            left.append(Gap(span.line, gap.line, after, span.first_ordinal + 1))
    return tuple(left)


class LaneLedger(Protocol):
    """Where lanes are kept."""

    def read_lane(self, key: LaneKey) -> Lane | None:
        """The lane as it is now (a consistent read), None where no such lane was begun."""

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        """Add a settlement to the lane and return it as it then is.

        `lane` is the caller's last view of it: the write compares and sets on its revision; a newer
        one is read and the settlement applied to that. Raises LaneMissing where there is no row.
        """
