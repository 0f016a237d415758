"""Are orders repeated in the same requests, whenever they come, whoever sends them (promise 2)?"""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamRecord
from tests.support.batch_api import BatchApi, refused
from tests.support.examples import examples
from tests.support.simulated import SHARD, START, UPLOAD, World

BATCH = 8
ORDERS_MAX = 40
LIMIT_SECONDS = 10_000.0

pauses = st.sampled_from((0.05, 0.4, 1.1, 2.5, 5.0))


@settings(max_examples=examples(150), deadline=None)
@given(
    pieces=st.lists(st.tuples(st.integers(1, 12), pauses), min_size=1, max_size=6),
    crashes=st.lists(st.tuples(pauses, pauses), max_size=6),
    bad=st.sets(st.integers(1, ORDERS_MAX), max_size=3),
    twins=st.sets(st.integers(1, ORDERS_MAX), max_size=4),
    rate=st.sampled_from(("1/s", "4/s", "none")),
    answers_for_each=st.booleans(),
)
def test_an_order_that_is_taken_twice_comes_in_the_same_request(  # noqa: PLR0917
    pieces: list[tuple[int, float]],
    crashes: list[tuple[float, float]],
    bad: set[int],
    twins: set[int],
    rate: str,
    answers_for_each: bool,
) -> None:
    orders = sum(count for count, _ in pieces)
    records: list[StreamRecord] = []

    def held_back(record: StreamRecord) -> list[StreamRecord]:
        records.append(record)
        return []

    api = BatchApi({f"o{line}": refused() for line in bad}, answers_for_each)
    world = World(
        orders,
        rate=rate,
        order_id=lambda line: "twin" if line in twins else f"o{line}",
        settings=DeliverySettings(
            SHARD, "token-0", batch_orders=BATCH, refusal_budget=(ORDERS_MAX, 100.0)
        ),
        tamper=held_back,
    )
    world.simulation.api = api
    put(world, records, pieces)
    moment = START
    for number, (seconds, after_seconds) in enumerate(crashes, 1):
        moment += seconds
        world.timeline.run(lambda: False, until=moment)
        if world.account.upload.listed_open:
            world.settings = replace(world.settings, token=f"token-{number}")
            world.crash(token=f"token-{number}", after_seconds=after_seconds)
            moment += after_seconds + 0.01
            world.timeline.run(lambda: False, until=moment)

    world.run_to_end(limit_seconds=LIMIT_SECONDS)

    wrong = {line for line in bad if line <= orders and line not in twins}
    assert set(api.taken) == set(range(1, orders + 1)) - wrong
    assert {letter.line for letter in world.ledger.dead_letters(UPLOAD, limit=99)} == wrong
    assert world.account.tally.accepted == orders - len(wrong)
    assert api.repeats_have_one_key()
    assert max(Counter(api.taken).values(), default=0) <= 1 + len(crashes)


def put(world: World, records: list[StreamRecord], pieces: list[tuple[int, float]]) -> None:
    """Let the records come piece by piece, with a pause after each."""
    moment, begin = START, 0
    for count, pause in pieces:
        piece, begin = records[begin : begin + count], begin + count
        world.timeline.at(moment, lambda piece=piece: arrive(world, piece))  # type: ignore[misc]
        moment += pause
    world.timeline.at(moment, lambda: arrive(world, records[begin:]))


def arrive(world: World, piece: list[StreamRecord]) -> None:
    for record in piece:
        world.stream.put(record.item)
