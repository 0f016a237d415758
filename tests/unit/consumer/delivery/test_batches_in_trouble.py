"""What becomes of a batch whose answers are of no use, spend the budget, or never come?"""

from dataclasses import replace

import pytest

from consumer.delivery.attempts import Answered, Attempt, Throttled, Unauthorized, Unavailable
from consumer.delivery.delivery_settings import ORDERS_IN_HAND_MAX, DeliverySettings
from consumer.delivery.entries import StreamRecord
from ledger.dynamodb.lane_row import lane_fields
from ledger.pace import steps
from ledger.pace.pace import BlockReason
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.lane_range import LaneRange
from orders.envelope import UnknownVersion
from tests.support.batch_api import LATENCY_SECONDS, BatchApi, refused
from tests.support.simulated import SHARD, START, UPLOAD, World

ORDERS = 100
LINES_MAX = 10_000_000
ROW_BYTES_MAX = 400_000
UNNAMED = Unavailable(None, "the API's answer does not name this order", may_have_arrived=True)


def world_of(
    orders: int, api: BatchApi, *, batch_orders: int = ORDERS, **settings: object
) -> World:
    """An upload that is sent in batches."""
    delivery = DeliverySettings(SHARD, "token-1", 64, batch_orders=batch_orders)
    world = World(orders, settings=delivery, **settings)  # type: ignore[arg-type]
    world.simulation.api = api
    return world


@pytest.mark.parametrize(
    "answer",
    [
        Answered((UNNAMED,) * ORDERS),
        Unavailable(200, "the API answered 200 without a list of results", may_have_arrived=True),
        Unavailable(207, "the API answered 207 Multi-Status", may_have_arrived=True),
    ],
)
def test_a_lone_batch_that_the_api_took_is_never_sent_in_parts_under_other_keys(
    answer: Attempt,
) -> None:
    api = BatchApi(answers_by=lambda _: answer)
    world = world_of(ORDERS, api)

    world.run(1_200.0)

    assert len(api.batches) > 10
    assert len({batch.key for batch in api.batches}) == 1
    assert world.pace.hold is not None


@pytest.mark.parametrize(
    "answer",
    [
        Throttled(None, "the API answered 429"),
        Unauthorized(401, "the API answered 401"),
        Unavailable(None, "no connection", may_have_arrived=False),
    ],
)
def test_a_lone_batch_that_no_order_is_to_blame_for_stays_whole(answer: Attempt) -> None:
    api = BatchApi(answers_by=lambda at: answer if at < START + 600 else None)
    world = world_of(ORDERS, api)

    world.run_to_end()

    assert len(api.batches) > 6
    assert {len(batch.lines) for batch in api.batches} == {ORDERS}


def test_an_answer_for_each_order_refuses_no_more_than_the_budget() -> None:
    api = BatchApi({f"o{line}": refused() for line in range(1, 91)}, answers_for_each=True)
    world = world_of(ORDERS, api)

    world.run(30.0)
    tally, blockers = world.account.tally, world.pace.blockers.values()

    budget, _ = world.settings.refusal_budget
    assert (tally.accepted, tally.refused) == (10, budget + 1)
    assert [blocker.reason for blocker in blockers] == [BlockReason.REFUSAL_BUDGET_SPENT]
    assert len(api.batches) == 1


def test_what_is_left_of_a_batch_whose_refusals_spent_the_budget_goes_on_after_a_resume() -> None:
    api = BatchApi({f"o{line}": refused() for line in range(1, 91)}, answers_for_each=True)
    world = world_of(ORDERS, api)

    for _ in range(10):
        world.run(30.0)
        world.change_pace(steps.resume)
    world.run_to_end()

    assert (world.account.tally.accepted, world.account.tally.refused) == (10, 90)
    letters = world.ledger.dead_letters(UPLOAD, limit=ORDERS)
    assert [letter.line for letter in letters] == list(range(1, 91))
    assert set(api.taken.values()) == {1}


def test_orders_before_a_record_of_a_later_release_are_sent_before_it_blocks() -> None:
    records: list[StreamRecord] = []

    def newer_behind_thirty(record: StreamRecord) -> list[StreamRecord]:
        records.append(record)
        if len(records) == 31:
            return [replace(record, item=UnknownVersion(9))]
        return [record] if len(records) <= 30 else []

    api = BatchApi()
    world = world_of(ORDERS, api, tamper=newer_behind_thirty)

    world.run(30.0)

    assert world.account.tally.accepted == 30
    assert [blocker.reason for blocker in world.pace.blockers.values()] == [
        BlockReason.LATER_RELEASE
    ]


def test_no_more_orders_are_in_hand_than_a_row_of_the_ledger_has_room_for() -> None:
    api = BatchApi()
    in_flight: list[int] = []

    def count(at: float) -> None:
        in_flight.append(1 + sum(batch.at > at - LATENCY_SECONDS for batch in api.batches))

    api.answers_by = count
    world = world_of(60_000, api, batch_orders=1_000, rate="400/s")
    ranges = [
        LaneRange(LINES_MAX + number, LINES_MAX + number, 1, LINES_MAX)
        for number in range(ORDERS_IN_HAND_MAX // 2)
    ]
    lane = Lane(LaneKey(UPLOAD, LaneNumber(0)), ahead=tuple(ranges))

    world.run_to_end()

    assert max(in_flight) == ORDERS_IN_HAND_MAX // 1_000
    assert len(str(lane_fields(lane)["ahead"])) < ROW_BYTES_MAX
