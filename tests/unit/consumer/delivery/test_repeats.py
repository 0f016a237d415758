"""Which records of the stream are repeats, which are new orders, and which are missing?"""

from collections import Counter

from consumer.delivery.attempts import Accepted, Attempt
from consumer.delivery.entries import Entry, Stage, StreamPosition
from consumer.delivery.lane_track import LaneTrack
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span, settle
from orders.envelope import OrderEnvelope
from orders.outcome import Outcome
from tests.support.simulated import UPLOAD, World

LANE = LaneKey(UPLOAD, LaneNumber(0))
SLOW_SECONDS = 30.0


def accepted(*ranges: tuple[int, int]) -> Lane:
    """A lane of whose lines those after the first up to the second of each pair are accepted."""
    spans = tuple(
        Span(after, line, line - after, after + 1, Outcome.ACCEPTED) for after, line in ranges
    )
    return settle(Lane(LANE), Settlement(spans), writer="test")


def take(track: LaneTrack, line: int) -> list[Entry]:
    envelope = OrderEnvelope(UPLOAD, 0, line, line - 1, line, b"{}")
    return track.take_order(envelope, StreamPosition(str(line), 0))


def test_what_was_settled_ahead_of_the_mark_is_a_repeat_and_what_lies_before_it_is_not() -> None:
    track = LaneTrack.begin(accepted((0, 2), (3, 5)), is_cancelled=False)

    taken = {line: take(track, line) for line in range(1, 7)}

    assert all(len(entries) == 1 for entries in taken.values())
    repeats = [line for line, (entry,) in taken.items() if entry.stage is Stage.SETTLED]
    assert repeats == [1, 2, 4, 5]


def test_what_was_settled_ahead_of_the_mark_is_not_missing_where_its_records_are_gone() -> None:
    track = LaneTrack.begin(accepted((0, 2), (3, 5)), is_cancelled=False)

    *missing, order = take(track, 7)

    assert order.stage is Stage.WAITING
    assert [(entry.prev, entry.line, entry.count) for entry in missing] == [(2, 3, 1), (5, 6, 1)]
    assert {entry.outcome for entry in missing} == {Outcome.MISSING}


def test_orders_settled_beyond_a_slow_one_are_not_sent_again_after_a_crash() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return SLOW_SECONDS if order_id == "o5" else 0.15, Accepted(200)

    world = World(orders=40, rate="5/s", behaviour=behaviour)
    world.run(4.0)
    lane = world.ledger.read_lane(LANE)
    assert lane is not None
    ahead = [f"o{line}" for line in range(1, 41) if line > lane.mark and lane.is_settled(line)]

    world.crash(token="token-2")
    world.run_to_end()

    times_sent = Counter(world.accepted())
    assert len(ahead) > 3
    assert {times_sent[order_id] for order_id in ahead} == {1}
    assert set(times_sent) == {f"o{line}" for line in range(1, 41)}
