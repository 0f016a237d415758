"""What does a lane remember, and how much of it?"""

from ledger.uploads.lane import RECENT_ORDERS, Lane, LaneKey, LaneNumber, Recent
from ledger.uploads.settlement import GAPS_MAX, Settlement, Span, settle
from orders.outcome import Outcome
from orders.upload import UploadId

LANE = Lane(LaneKey(UploadId("5eed" * 5), LaneNumber(0)))


def one(line: int, outcome: Outcome = Outcome.ACCEPTED) -> Span:
    return Span(line - 1, line, 1, line, outcome)


def test_only_the_last_thousand_orders_are_remembered() -> None:
    recent = Recent().plus(Outcome.REFUSED, 30).plus(Outcome.ACCEPTED, RECENT_ORDERS - 10)

    assert (recent.length, recent.refused) == (RECENT_ORDERS, 10)


def test_more_orders_at_once_than_are_remembered_fill_the_record() -> None:
    recent = Recent().plus(Outcome.REFUSED, 5 * RECENT_ORDERS)

    assert (recent.length, recent.refused) == (RECENT_ORDERS, RECENT_ORDERS)


def test_gaps_that_touch_are_one() -> None:
    lane = settle(LANE, Settlement((one(2, Outcome.MISSING), one(1, Outcome.MISSING))), writer="w")

    assert [(gap.prev, gap.line, gap.count) for gap in lane.gaps] == [(0, 2, 2)]


def test_gaps_beyond_the_limit_stay_counted_but_are_no_longer_waited_for() -> None:
    spans = [
        one(line, Outcome.MISSING if line % 2 else Outcome.ACCEPTED)
        for line in range(1, 2 * GAPS_MAX + 21)
    ]

    lane = settle(LANE, Settlement(tuple(spans)), writer="w")
    late = settle(lane, Settlement((one(1),)), writer="w")

    assert len(lane.gaps) == GAPS_MAX
    assert lane.tally.missing == GAPS_MAX + 10
    assert (lane.is_missing(1), lane.is_settled(1)) == (False, True)
    assert late.tally == lane.tally


def test_a_settle_of_nothing_new_still_has_a_revision_and_a_writer_of_its_own() -> None:
    lane = settle(LANE, Settlement((one(1),)), writer="a")

    again = settle(lane, Settlement((one(1),)), writer="b")

    assert (again.revision, again.writer) == (2, "b")
    assert (again.tally, again.mark) == (lane.tally, lane.mark)
