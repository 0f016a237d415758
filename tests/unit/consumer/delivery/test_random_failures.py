"""Is an order blamed for what an API does to a share of all attempts, at random?"""

import random

import pytest

from consumer.delivery.attempts import Accepted, Attempt, Unavailable
from consumer.delivery.failure_evidence import CHANCE_MAX, OTHERS, FailureEvidence
from sandbox.simulation.world import Behaviour
from tests.support.simulated import World

DOWN = Unavailable(503, "the API answered 503", may_have_arrived=True)
HOUR = 3_600.0


def fails_at_random(share: float, *, seed: int, bad: str = "") -> Behaviour:
    """An API that answers this share of all attempts with 503, and those of one order always."""
    chance = random.Random(seed)  # noqa: S311 - what a test draws, it must draw again

    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return 0.15, DOWN if order_id == bad or chance.random() < share else Accepted(200)

    return behaviour


@pytest.mark.parametrize(
    ("share", "orders"),
    [
        *((0.3, 400), (0.5, 400), (0.7, 400)),
        pytest.param(0.8, 300, marks=pytest.mark.slow),
        pytest.param(0.9, 250, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_no_good_order_is_refused_whatever_share_of_attempts_fails(
    share: float, orders: int, seed: int
) -> None:
    world = World(orders=orders, behaviour=fails_at_random(share, seed=seed))

    world.run_to_end(limit_seconds=48 * HOUR)

    assert world.account.tally.refused == 0
    assert world.account.tally.accepted == orders


@pytest.mark.parametrize(
    ("share", "hours"), [(0.2, 0.5), (0.5, 1.0), pytest.param(0.7, 2.0, marks=pytest.mark.slow)]
)
def test_a_bad_order_among_random_failures_is_still_refused_in_the_end(
    share: float, hours: float
) -> None:
    behaviour = fails_at_random(share, seed=1, bad="o20")
    world = World(orders=6_000, behaviour=behaviour)

    world.run(hours * HOUR)

    assert world.account.tally.refused == 1
    assert [letter.order_id for letter in world.ledger.dead_letters(limit=5)] == ["o20"]


@pytest.mark.parametrize(
    ("failures", "asked"),
    [
        ([0] * OTHERS, 1),  # then the count of ORDERS_FAILED_ALONE decides
        ([1] * (OTHERS // 10) + [0] * (OTHERS * 9 // 10), 9),
        ([1] * OTHERS, 30),
        ([9] * OTHERS, 197),
    ],
)
def test_the_more_often_good_orders_fail_the_more_failures_are_asked_for(
    failures: list[int], asked: int
) -> None:
    failing = FailureEvidence(3)
    failing.others.extend(failures)

    enough = [n for n in range(1, 300) if failing._chance_of(n, others=0) <= CHANCE_MAX]

    assert enough[0] == asked
