"""How a settlement changes a lane."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ledger.uploads.lane import Lane, Recent
from ledger.uploads.lane_range import LaneRange, joined, without
from orders.outcome import Outcome

GAPS_MAX = 1_000
"""How many gaps a lane remembers; orders of older ones stay missing even if they arrive."""


@dataclass(frozen=True, slots=True)
class Span(LaneRange):
    """Consecutive orders of a lane with the same outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one settle adds to a lane; settling the same lines again changes nothing.

    ended: an end marker was reached and everything before it is settled. More of the lane may
        follow, see `ledger.uploads.closing`.
    resumed: the `resumed` count of the pace as the writer knows it; a higher one than the lane's
        clears the record that the refusal budget uses.
    """

    spans: tuple[Span, ...] = ()
    ended: bool = False
    resumed: int = 0


def settle(lane: Lane, settlement: Settlement, *, writer: str) -> Lane:
    """The lane after a settlement; pure, and the same for every ledger adapter.

    Orders that are settled already are left out, so a late but true settle is welcome, a repeated
    one does no harm, and the first outcome of an order stands (except for `missing`, which ends
    when the order arrives after all). `writer` names this one write, to recognize its own retry.
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
    lane_range = LaneRange(span.prev, span.line, span.count, span.first_ordinal)
    new = without((lane_range,), lane.settled)
    if span.outcome is Outcome.MISSING:
        gaps = joined((*lane.gaps, *new))[-GAPS_MAX:]
        found, no_longer_missing = 0, 0
    else:
        gaps = without(lane.gaps, (lane_range,))
        found = sum(lane_range.orders_within(gap) for gap in lane.gaps if gap.overlaps(lane_range))
        no_longer_missing = _orders(lane.gaps) - _orders(gaps)
    count = _orders(new) + found
    if not count:
        return lane
    mark, ahead = _advance(lane.mark, (*lane.ahead, *new))
    tally = lane.tally.plus(Outcome.MISSING, -no_longer_missing).plus(span.outcome, count)
    recent = lane.recent.plus(span.outcome, count)
    return replace(lane, mark=mark, ahead=ahead, gaps=gaps, tally=tally, recent=recent)


def _orders(ranges: Iterable[LaneRange]) -> int:
    return sum(lane_range.count for lane_range in ranges)


def _advance(mark: int, ranges: Iterable[LaneRange]) -> tuple[int, tuple[LaneRange, ...]]:
    """Move the mark over the range that it touches; the others stay ahead of it."""
    ahead = joined(ranges)
    if ahead and ahead[0].prev <= mark:
        return ahead[0].line, ahead[1:]
    return mark, ahead
