"""In which spans is the ledger told what came of the orders?"""

from itertools import permutations

from consumer.delivery.entries import Entry, Stage, StreamPosition
from consumer.delivery.lanes_in_hand import LanesInHand
from consumer.delivery.settle_queue import FAILED_SECONDS, SettleQueue, spans_of
from ledger.errors import LedgerUnreachable
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.settlement import Span
from orders.outcome import Outcome
from orders.upload import UploadId

LANE = LaneKey(UploadId("0123456789abcdef0123"), LaneNumber(0))
OTHER_LANE = LaneKey(UploadId("0123456789abcdef0124"), LaneNumber(0))
NOW = 1_000.0


def entry(prev: int, line: int, ordinal: int, outcome: Outcome | None, count: int = 1) -> Entry:
    return Entry(
        StreamPosition(str(line), 0), LANE, prev, line, ordinal, count=count, outcome=outcome
    )


def test_neighbours_of_one_outcome_are_one_span_in_whatever_order_they_came() -> None:
    told = [entry(line - 1, line, line, Outcome.ACCEPTED) for line in (4, 5, 6)]

    spans = {spans_of(order) for order in permutations(told)}

    assert spans == {(Span(3, 6, 3, 4, Outcome.ACCEPTED),)}


def test_an_order_of_another_outcome_or_one_that_is_not_told_yet_begins_a_new_span() -> None:
    told = [
        entry(0, 1, 1, Outcome.ACCEPTED),
        entry(1, 2, 2, Outcome.REFUSED),
        entry(2, 5, 3, Outcome.MISSING, count=2),
        entry(7, 8, 6, Outcome.ACCEPTED),
    ]

    assert spans_of(told) == (
        Span(0, 1, 1, 1, Outcome.ACCEPTED),
        Span(1, 2, 1, 2, Outcome.REFUSED),
        Span(2, 5, 2, 3, Outcome.MISSING),
        Span(7, 8, 1, 6, Outcome.ACCEPTED),
    )


def test_the_end_of_a_lane_is_no_span() -> None:
    assert spans_of([entry(3, 3, 3, None)]) == ()


def queue(*in_hand: Entry) -> SettleQueue:
    lanes = LanesInHand()
    for key in (LANE, OTHER_LANE):
        lanes.begin(Lane(key), is_cancelled=False)
    for held in in_hand:
        if held.key:
            lanes[held.key].in_hand[held] = None
    return SettleQueue(lanes)


def test_an_end_that_must_wait_for_its_orders_keeps_no_other_lane_from_the_ledger() -> None:
    end, accepted = entry(2, 2, 2, None), entry(0, 1, 1, Outcome.ACCEPTED)
    end.ends_lane, accepted.key = True, OTHER_LANE
    settles = queue(entry(1, 2, 2, None), end, accepted)
    settles.add(end)
    settles.add(accepted)

    settle = settles.next(NOW, at_once=True, resumed=0)

    assert settle is not None
    assert settle.entries == (accepted,)
    assert settles.next(NOW, at_once=True, resumed=0) is None


def test_an_end_waits_for_nothing_that_comes_after_it() -> None:
    end, repeated = entry(2, 2, 2, None), entry(2, 2, 2, None)
    end.ends_lane = repeated.ends_lane = True
    settles = queue(end, repeated, entry(0, 1, 1, None))
    settles.add(end)

    settle = settles.next(NOW, at_once=True, resumed=0)

    assert settle is not None
    assert settle.settlement.ended


def test_after_a_settle_that_failed_even_a_pressed_window_rests() -> None:
    accepted = entry(0, 1, 1, Outcome.ACCEPTED)
    settles = queue(accepted)
    settles.add(accepted)
    settle = settles.next(NOW, at_once=True, resumed=0)
    assert settle is not None

    settles.failed(LANE, LedgerUnreachable("no answer", hint="try again"), NOW)

    assert accepted.stage is Stage.DONE
    assert settles.next(NOW + FAILED_SECONDS / 2, at_once=True, resumed=0) is None
    assert settles.due() == NOW + FAILED_SECONDS
    assert settles.next(NOW + FAILED_SECONDS, at_once=True, resumed=0) == settle
