"""Do several shard processes share one pace, whatever happens to it?"""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from consumer.delivery.attempts import Accepted
from consumer.delivery.delivery_settings import DeliverySettings
from ledger.memory.ledger import MemoryLedger
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Override, Pause
from ledger.pace.turns import own
from orders.upload import UploadId
from sandbox.simulation.process import Process
from sandbox.simulation.timeline import Timeline
from sandbox.simulation.world import Behaviour, SimulatedApi, Simulation, upload_stream
from tests.support.fleet import Fate, Fleet, PlannedOrder
from tests.support.simulated import START

if TYPE_CHECKING:
    from consumer.delivery.events import Event

LANE = [PlannedOrder(1, twin, Fate.KEPT) for twin in range(14)]


def fleet_of(shards: int, *, rate: str, begun: int = 9) -> Fleet:
    fleet = Fleet([[LANE] for _ in range(shards)], shards=shards, seed=0, is_late=False)
    fleet.change_pace(lambda pace: steps.configure(pace, rate, now=START))
    for shard in fleet.shards[:begun]:
        fleet.start(shard)
    return fleet


def smallest_gap(fleet: Fleet) -> float:
    times = [request.at for request in fleet.api.requests]
    return min(after - before for before, after in pairwise(times))


@pytest.mark.parametrize("shards", [2, 3])
def test_the_shards_together_use_every_turn_and_no_more(shards: int) -> None:
    fleet = fleet_of(shards, rate="1/s")

    fleet.run(14.0 * shards)

    assert len(fleet.api.requests) == 14 * shards
    assert smallest_gap(fleet) > 0.99


def test_a_pause_that_is_taken_back_before_all_have_seen_it_gives_no_turn_twice() -> None:
    fleet = fleet_of(2, rate="2/s")
    fleet.run(3.1)

    fleet.change_pace(lambda pace: steps.pause(pace, Pause("ann", "oops", START + 3.1, None)))
    fleet.change_pace(steps.resume)
    fleet.run(10.0)

    assert smallest_gap(fleet) > 0.99 * 0.5
    assert len(fleet.api.requests) > 20


def test_a_slower_rate_leaves_no_process_behind_its_turns() -> None:
    fleet = fleet_of(2, rate="5/s", begun=1)
    fleet.change_pace(
        lambda pace: steps.override(pace, Override("1/s", "ann", "", None), now=START)
    )

    fleet.run(10.3)
    fleet.start(fleet.shards[1])
    fleet.run(10.0)

    later = [request.at for request in fleet.api.requests if request.at > START + 2.0]
    assert min(after - before for before, after in pairwise(later)) > 0.99


def test_a_process_that_cannot_see_the_pace_starts_nothing_more() -> None:
    fleet = fleet_of(1, rate="20/m")
    fleet.run(0.5)
    fleet.is_ledger_down = True
    shard = fleet.shards[0].name
    fleet.change_pace(lambda pace: own(pace, shard, "another", now=START + 0.5))

    fleet.run(30.0)

    assert len(fleet.api.requests) == 1


def test_sending_goes_on_in_its_turn_when_the_ledger_is_back() -> None:
    fleet = fleet_of(1, rate="1/s")
    fleet.run(3.5)
    fleet.is_ledger_down = True
    fleet.run(10.0)
    fleet.is_ledger_down = False

    fleet.run(15.0)

    assert len(fleet.api.requests) == 14
    assert smallest_gap(fleet) > 0.99


def beside_each_other(
    behaviour: Behaviour, *, rate: str, shards: int, machines: int, late: Callable[[], float]
) -> Simulation:
    """Shards with many orders each, on a number of machines; nothing has happened yet."""
    timeline, ledger = Timeline(START), MemoryLedger()
    events: list[Event] = []
    api = SimulatedApi(behaviour)
    simulation = Simulation(timeline, ledger, api, events.append, late_seconds=late)
    change(ledger, lambda pace: steps.configure(pace, rate, now=START))
    for number in range(shards):
        upload = UploadId(f"{number:020x}")
        stream = upload_stream(ledger, upload, 3_000, order_id=f"{number}-{{}}".format)
        token = f"machine{number % machines}-{number}"
        Process(simulation, stream, DeliverySettings(f"shardId-{number:012d}", token), None)
    return simulation


def starts_of(simulation: Simulation, begin: float, end: float) -> list[float]:
    """When attempts started in a part of the simulation, which runs until then."""
    simulation.timeline.run(lambda: False, until=START + end)
    assert isinstance(simulation.api, SimulatedApi)
    return [r.at for r in simulation.api.requests if r.at >= START + begin]


@pytest.mark.parametrize("machines", [1, 2])
@pytest.mark.parametrize("shards", [2, 4])
@pytest.mark.parametrize("rate", ["1/s", "4/s", "20/s", "50/s"])
def test_at_any_rate_the_shards_use_every_turn_although_their_threads_are_a_little_late(
    rate: str, shards: int, machines: int
) -> None:
    chance = random.Random(1)  # noqa: S311 - what a test draws, it must draw again
    simulation = beside_each_other(
        lambda _, __: (chance.uniform(0.03, 0.08), Accepted(200)),
        rate=rate,
        shards=shards,
        machines=machines,
        late=lambda: chance.expovariate(1_000.0),
    )

    times = starts_of(simulation, 5.0, 40.0)

    interval = 1.0 / float(rate.removesuffix("/s"))
    share = (len(times) - 1) * interval / (times[-1] - times[0])
    assert 0.99 <= share <= 1.005
    if machines == 1:
        assert min(after - before for before, after in pairwise(times)) >= 0.99 * interval


def test_a_shard_whose_orders_take_long_does_not_keep_turns_from_the_others() -> None:
    simulation = beside_each_other(
        lambda order_id, _: (30.0 if order_id.startswith("0") else 0.05, Accepted(200)),
        rate="20/s",
        shards=2,
        machines=1,
        late=lambda: 0.0,
    )

    assert len(starts_of(simulation, 15.0, 30.0)) >= 0.98 * 300
