"""What of a lane is settled, and how does that grow?

A lane is a chain of enqueued orders: each names the line before it (`prev`). The mark is the line
up to which the whole chain is settled; `ahead` holds stretches of the chain that were settled
beyond it; a gap is a stretch that was settled as missing and may still turn up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, NewType, Protocol

from ledger.ports.stretches import Stretch, joined, without
from orders.outcome import Outcome
from orders.upload import UploadId

LaneNumber = NewType("LaneNumber", int)

RECENT_ORDERS = 1_000
"""How many of a lane's last settled orders the refusal budget looks at."""
GAPS_MAX = 1_000
"""How many gaps a lane remembers; the orders of older ones stay missing even if they come."""


class LaneKey(NamedTuple):
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

    @property
    def stretch(self) -> Stretch:
        """The span without its outcome."""
        return Stretch(self.prev, self.line, self.count, self.first_ordinal)


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
        return Recent(bits, min(self.length + count, RECENT_ORDERS), self.resumed)


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane's row of the ledger."""

    key: LaneKey
    mark: int = 0
    ahead: tuple[Stretch, ...] = ()
    gaps: tuple[Stretch, ...] = ()
    tally: Tally = Tally()
    recent: Recent = Recent()
    ended: bool = False
    revision: int = 0
    writer: str = ""

    @property
    def mark_ordinal(self) -> int:
        """The ordinal of the order at the mark: how many orders are settled up to it."""
        return self.tally.settled - sum(stretch.count for stretch in self.ahead)

    @property
    def settled(self) -> tuple[Stretch, ...]:
        """All that is settled: up to the mark, and ahead of it."""
        ordinal = self.mark_ordinal
        return (Stretch(0, self.mark, ordinal, 1), *self.ahead) if ordinal else self.ahead

    def is_missing(self, line: int) -> bool:
        """Was this line settled as missing, so that it is sent if it comes after all?"""
        return any(gap.holds(line) for gap in self.gaps)

    def is_settled(self, line: int) -> bool:
        """Is this line settled for good, so that a consumer skips it as a repeat?"""
        if line > self.mark and not any(stretch.holds(line) for stretch in self.ahead):
            return False
        return not self.is_missing(line)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one settle adds to a lane; settling the same lines again changes nothing.

    ended: an end marker was reached and everything before it is settled. More of the lane may come
        after it, see `ledger.ports.closing`.
    resumed: the `resumed` count of the pace as the writer knows it; a higher one than the lane's
        empties the record that the refusal budget looks at.
    """

    spans: tuple[Span, ...] = ()
    ended: bool = False
    resumed: int = 0


def settle(lane: Lane, settlement: Settlement, *, writer: str) -> Lane:
    """The lane after a settlement; pure, and the same for every ledger adapter.

    What of a span is settled already is left out, so a late but true settle is welcome, a repeated
    one does no harm, and the first outcome of an order stands (but for `missing`, which ends when
    the order comes after all). `writer` names this one write, so that its own retry is recognised.
    """
    if settlement.resumed > lane.recent.resumed:
        lane = replace(lane, recent=Recent(resumed=settlement.resumed))
    for span in settlement.spans:
        lane = _with_span(lane, span)
    return replace(
        lane,
        ended=lane.ended or settlement.ended,
        revision=lane.revision + 1,
        writer=writer,
    )


def _with_span(lane: Lane, span: Span) -> Lane:
    stretch = span.stretch
    new = without((stretch,), lane.settled)
    if span.outcome is Outcome.MISSING:
        gaps = joined((*lane.gaps, *new))[-GAPS_MAX:]
        found, no_longer_missing = 0, 0
    else:
        gaps = without(lane.gaps, (stretch,))
        found = sum(stretch.orders_within(gap) for gap in lane.gaps if gap.overlaps(stretch))
        no_longer_missing = _orders(lane.gaps) - _orders(gaps)
    count = _orders(new) + found
    if not count:
        return lane
    mark, ahead = _advance(lane.mark, (*lane.ahead, *new))
    tally = lane.tally.plus(Outcome.MISSING, -no_longer_missing).plus(span.outcome, count)
    recent = lane.recent.plus(span.outcome, count)
    return replace(lane, mark=mark, ahead=ahead, gaps=gaps, tally=tally, recent=recent)


def _orders(stretches: Iterable[Stretch]) -> int:
    return sum(stretch.count for stretch in stretches)


def _advance(mark: int, stretches: Iterable[Stretch]) -> tuple[int, tuple[Stretch, ...]]:
    """Let the mark swallow the stretch that it touches; the others stay ahead of it."""
    ahead = joined(stretches)
    if ahead and ahead[0].prev <= mark:
        return ahead[0].line, ahead[1:]
    return mark, ahead


class LaneLedger(Protocol):
    """Where lanes are kept."""

    def read_lane(self, key: LaneKey) -> Lane | None:
        """The lane as it is now (a consistent read), None where no such lane was begun."""

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        """Add a settlement to the lane and return it as it then is.

        `lane` is the caller's last view of it: the write compares and sets on its revision; a newer
        one is read and the settlement applied to that. Raises LaneMissing where there is no row.
        """
