"""Which 409 says that an order arrived, and which is a refusal?"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from consumer.delivery.attempts import Accepted, Attempt, Conflict, Unavailable
from consumer.delivery.delivery_settings import DeliverySettings
from ledger.pace import steps
from ledger.pace.pace import Override
from ledger.uploads.lane import Tally
from sandbox.simulation.process import Process
from tests.support.simulated import SHARD, START, World

BUDGET = (1_000, 100.0)
EXISTS = Conflict(409, "order id exists")


def settings(token: str = "token-1") -> DeliverySettings:  # noqa: S107 - a fence token
    return DeliverySettings(SHARD, token, refusal_budget=BUDGET)


def next_life(world: World, token: str) -> None:
    """SIGKILL; another process takes the shard over, with the checkpoint."""
    world.process.crash()
    world.process = Process(
        world.simulation, world.stream, settings(token), world.process.checkpoint
    )


@dataclass
class TakesOnce:
    """An API that takes an order once and answers 409 ever after; `other` ids exist beforehand."""

    latency_seconds: float = 0.15
    other: Callable[[str], bool] = lambda _: False
    taken: Counter[str] = field(default_factory=Counter)

    def __call__(self, order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        if self.other(order_id):
            return self.latency_seconds, EXISTS
        self.taken[order_id] += 1
        return self.latency_seconds, EXISTS if self.taken[order_id] > 1 else Accepted(200)


def test_the_first_process_ever_believes_no_conflict() -> None:
    world = World(orders=30, behaviour=TakesOnce(other=lambda _: True), settings=settings())

    world.run_to_end()

    assert world.account.tally == Tally(refused=30)


@pytest.mark.parametrize(("rate", "most"), [("1/s", 2), ("10/s", 10), ("50/s", 50)])
def test_after_a_kill_only_what_had_begun_or_had_a_turn_is_believed(rate: str, most: int) -> None:
    is_other = [False]
    api = TakesOnce(other=lambda _: is_other[0])
    world = World(orders=400, rate=rate, behaviour=api, settings=settings())
    world.run(4.1)

    is_other[0] = True
    next_life(world, "token-2")
    world.run_to_end()

    believed = world.account.tally.accepted - len(api.taken)
    assert believed <= most


@pytest.mark.parametrize("rate", ["1/s", "10/s", "50/s", "none"])
@pytest.mark.parametrize("moment", [3.02, 3.05, 3.1, 3.14, 3.152, 3.19])
def test_an_order_that_arrived_before_a_kill_is_accepted(rate: str, moment: float) -> None:
    api = TakesOnce()
    world = World(orders=120, rate=rate, behaviour=api, settings=settings())
    world.run(moment if rate != "none" else moment - 2.99)

    for life in range(2, 5):
        next_life(world, f"token-{life}")
        world.run(0.07)
    world.run_to_end()

    assert world.account.tally == Tally(accepted=120)


def test_an_order_that_an_earlier_life_saw_failing_is_believed_in_a_later_one() -> None:
    api = TakesOnce()

    def behave(order_id: str, at: float) -> tuple[float, Attempt]:
        latency_seconds, attempt = api(order_id, at)
        if at < START + 20.0 and order_id == "o3":  # it takes the order, and says 503
            return latency_seconds, Unavailable(503, "the API answered 503", may_have_arrived=True)
        return latency_seconds, attempt

    world = World(orders=40, behaviour=behave, settings=settings())
    world.run(6.0)
    for life in range(2, 6):
        next_life(world, f"token-{life}")
        world.run(1.3)
    world.run_to_end()

    assert world.account.tally == Tally(accepted=40)


def test_without_turns_a_whole_window_is_believed() -> None:
    api = TakesOnce(latency_seconds=2.0)
    world = World(orders=2_500, rate="none", behaviour=api, settings=settings())
    world.run(79.0)
    assert len(api.taken) - world.account.tally.settled > 20
    value = Override("1/s", "ann", "slowly", None)
    world.change_pace(lambda pace: steps.override(pace, value, now=world.timeline.now()))

    next_life(world, "token-2")
    world.run_to_end()

    assert world.account.tally == Tally(accepted=2_500)
