"""What every ledger promises about settling a lane."""

import pytest

from ledger.errors import LaneMissing
from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Recent, Tally
from ledger.uploads.lane_range import LaneRange
from ledger.uploads.settlement import Settlement, Span
from orders.outcome import Outcome
from tests.support.stores import UPLOAD, Ledger, Store, begin, lane_of, orders, told

KEY = LaneKey(UPLOAD, LaneNumber(0))


def test_a_lane_that_nobody_began_is_not_there(ledger: Ledger) -> None:
    assert ledger.read_lane(KEY) is None


def test_settling_a_lane_without_a_row_never_starts_it_at_zero(ledger: Ledger) -> None:
    with pytest.raises(LaneMissing) as missing:
        ledger.settle(Lane(KEY), told(orders(1, 1)))

    assert "lane 0" in str(missing.value)
    assert missing.value.hint
    assert ledger.read_lane(KEY) is None


def test_a_settle_moves_the_mark_and_is_there_for_the_next_reader(store: Store) -> None:
    begin(store.ledger)

    lane = store.ledger.settle(lane_of(store.ledger), told(orders(1, 4), orders(5, 5)))

    assert (lane.mark, lane.tally, lane.revision) == (5, Tally(accepted=5), 1)
    assert store.another().read_lane(KEY) == lane


def test_all_of_a_lane_is_read_as_it_was_written(store: Store) -> None:
    begin(store.ledger)
    spans = (
        orders(1, 2, Outcome.REFUSED),
        Span(2, 40, 7, 3, Outcome.MISSING),
        Span(50, 51, 1, 12, Outcome.CANCELLED),
        Span(60, 63, 2, 15, Outcome.ACCEPTED),
    )

    lane = store.ledger.settle(lane_of(store.ledger), Settlement(spans, ended=True, resumed=3))

    assert store.another().read_lane(KEY) == lane
    assert (lane.mark, lane.mark_ordinal, lane.ended) == (40, 9, True)
    assert lane.ahead == (LaneRange(50, 51, 1, 12), LaneRange(60, 63, 2, 15))
    assert lane.gaps == (LaneRange(2, 40, 7, 3),)
    assert lane.tally == Tally(accepted=2, refused=2, cancelled=1, missing=7)
    assert lane.recent == Recent(bits=0b11 << 10, length=12, resumed=3)


def test_a_late_but_true_settle_is_welcome(store: Store) -> None:
    begin(store.ledger)
    old_view = lane_of(store.ledger)
    store.another().settle(old_view, told(orders(1, 3)))

    lane = store.ledger.settle(old_view, told(orders(4, 6)))

    assert (lane.mark, lane.tally, lane.ahead) == (6, Tally(accepted=6), ())


def test_an_order_that_two_processes_settle_counts_once(store: Store) -> None:
    begin(store.ledger)
    old_view = lane_of(store.ledger)
    store.another().settle(old_view, told(orders(1, 3)))

    lane = store.ledger.settle(old_view, told(orders(2, 5)))

    assert (lane.mark, lane.tally) == (5, Tally(accepted=5))


def test_what_two_processes_say_differently_stays_as_it_was_said_first(store: Store) -> None:
    begin(store.ledger)
    old_view = lane_of(store.ledger)
    store.another().settle(old_view, told(orders(1, 1, Outcome.REFUSED)))

    lane = store.ledger.settle(old_view, told(orders(1, 1)))

    assert lane.tally == Tally(refused=1)


def test_orders_settled_beyond_the_mark_wait_for_it(store: Store) -> None:
    begin(store.ledger)

    beyond = store.ledger.settle(lane_of(store.ledger), told(orders(4, 6)))
    joined = store.another().settle(lane_of(store.ledger), told(orders(1, 3)))

    assert (beyond.mark, beyond.ahead) == (0, (LaneRange(3, 6, 3, 4),))
    assert [beyond.is_settled(line) for line in (3, 4, 6, 7)] == [False, True, True, False]
    assert (joined.mark, joined.ahead) == (6, ())


def test_a_gap_is_counted_and_its_orders_may_still_arrive(store: Store) -> None:
    begin(store.ledger)
    gap = store.ledger.settle(
        lane_of(store.ledger), told(orders(1, 1), orders(2, 6, Outcome.MISSING), orders(7, 7))
    )

    found = store.another().settle(gap, told(orders(4, 4)))

    assert (gap.mark, gap.tally) == (7, Tally(accepted=2, missing=5))
    assert (gap.is_missing(4), gap.is_settled(4)) == (True, False)
    assert (found.mark, found.tally) == (7, Tally(accepted=3, missing=4))
    assert (found.is_missing(4), found.is_settled(4)) == (False, True)
    assert found.gaps == (LaneRange(1, 3, 2, 2), LaneRange(4, 6, 2, 5))


def test_a_gap_whose_orders_arrive_piece_by_piece_disappears(ledger: Ledger) -> None:
    begin(ledger)
    lane = ledger.settle(lane_of(ledger), told(orders(1, 6, Outcome.MISSING)))

    for first, last in ((3, 4), (1, 2), (5, 6)):
        lane = ledger.settle(lane, told(orders(first, last)))

    assert (lane.mark, lane.tally, lane.gaps) == (6, Tally(accepted=6), ())


def test_a_lane_that_ended_stays_ended(ledger: Ledger) -> None:
    begin(ledger)
    ended = ledger.settle(lane_of(ledger), told(orders(1, 2), ended=True))

    again = ledger.settle(ended, told(orders(1, 2)))

    assert again.ended
    assert again.tally == Tally(accepted=2)


def test_resuming_clears_the_record_of_the_refusal_budget(ledger: Ledger) -> None:
    begin(ledger)
    lane = ledger.settle(lane_of(ledger), told(orders(1, 8, Outcome.REFUSED)))

    lane = ledger.settle(lane, Settlement((orders(9, 10),), resumed=1))

    assert (lane.recent.length, lane.recent.refused, lane.recent.resumed) == (2, 0, 1)
    assert lane.tally == Tally(accepted=2, refused=8)


def test_a_thousand_recent_orders_fit(ledger: Ledger) -> None:
    begin(ledger)
    lane = ledger.settle(
        lane_of(ledger),
        told(orders(1, 500), orders(501, 1_200, Outcome.REFUSED), orders(1_201, 1_300)),
    )

    assert lane_of(ledger).recent == lane.recent
    assert (lane.recent.length, lane.recent.refused) == (1_000, 700)
