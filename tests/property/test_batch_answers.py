"""Is each order of a batch settled once, whatever is answered (promises 1, 3 and 4)?

Each order of a request may get any answer, or the whole request may; processes are killed, and the
number of orders in a request changes with the next one; people set orders aside.
"""

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.delivery.attempts import (
    Accepted,
    Answered,
    Attempt,
    BatchRequest,
    Conflict,
    OrderAttempt,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from consumer.delivery.delivery_settings import DeliverySettings
from ledger.pace import steps
from tests.support.batch_api import BatchApi, taken_lines
from tests.support.simulated import SHARD, UPLOAD, World

ONE: Final[tuple[OrderAttempt, ...]] = (
    *(Accepted(200),) * 6,
    Refused(422, "the API answered 422", ""),
    Throttled(3.0, "the API answered 429", 429),
    Unauthorized(401, "the API answered 401"),
    Unavailable(503, "the API answered 503", may_have_arrived=True),
    Unavailable(None, "the API's answer does not name this order", may_have_arrived=True),
)
ALL: Final[tuple[OrderAttempt, ...]] = (
    Conflict(409, "it has one of them"),
    Refused(413, "the API answered 413", ""),
    Throttled(None, "the API answered 429"),
    Unavailable(207, "the API answered 207", may_have_arrived=True),
    Unavailable(None, "no answer", may_have_arrived=True),
    Unavailable(None, "no connection", may_have_arrived=False),
)
EVENTS = ("kill", "kill", "other batches", "set aside", "resume")
MINUTES_MAX = 60

moments = st.sampled_from((0.05, 0.3, 1.0, 2.5, 7.0, 30.0))


@dataclass
class AnyAnswers(BatchApi):
    """An API that answers anything until it is `healed`."""

    chance: random.Random = field(default_factory=random.Random)
    all_share: float = 0.0
    healed: bool = False

    def _answer(self, request: BatchRequest) -> Attempt:
        if self.healed:
            return Accepted(200)
        if self.chance.random() < self.all_share:
            answer = self.chance.choice(ALL)
            is_alone = len(request.orders) == 1  # of which a 409 would be believed
            return Accepted(200) if is_alone and isinstance(answer, Conflict) else answer
        return Answered(tuple(self.chance.choice(ONE) for _ in request.orders))


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    orders=st.integers(1, 60),
    ids=st.integers(1, 60),
    all_share=st.sampled_from((0.0, 0.1, 0.4)),
    rate=st.sampled_from((1, 7)),
    budget=st.sampled_from(((3, 5.0), (99, 100.0))),
    events=st.lists(st.tuples(moments, st.sampled_from(EVENTS)), max_size=7),
)
def test_every_order_is_accepted_or_a_dead_letter_in_the_order_of_its_id(  # noqa: PLR0917
    seed: int,
    orders: int,
    ids: int,
    all_share: float,
    rate: int,
    budget: tuple[int, float],
    events: list[tuple[float, str]],
) -> None:
    chance = random.Random(seed)  # noqa: S311 - what a test draws, it must draw again
    api = AnyAnswers(chance=chance, all_share=all_share)
    batch_orders = chance.randint(2, 17)
    world = World(
        orders,
        rate=f"{rate}/s",
        order_id=lambda line: f"o{line % ids}",
        settings=DeliverySettings(
            SHARD, "token-0", batch_orders=batch_orders, refusal_budget=budget
        ),
    )
    world.simulation.api = api

    for number, (seconds, event) in enumerate(events, 1):
        world.run(seconds)
        happen(world, event, number, chance)
    api.healed = True
    for _ in range(MINUTES_MAX):  # a spent refusal budget blocks sending again
        limit = world.timeline.now() + 60.0
        if world.timeline.run(lambda: not world.account.upload.listed_open, until=limit):
            break
        world.change_pace(steps.resume)
    world.run(2.0)

    tally, upload = world.account.tally, world.account.upload
    letters = {letter.line for letter in world.ledger.dead_letters(UPLOAD, limit=orders)}
    accepted = list(dict.fromkeys(line for batch in api.batches for line in taken_lines(batch)))
    assert not upload.listed_open
    assert (tally.settled, tally.refused, tally.missing) == (orders, len(letters), 0)
    assert set(range(1, orders + 1)) - letters <= set(accepted)
    assert all(len(set(batch.order_ids)) == len(batch.order_ids) for batch in api.batches)
    for number in range(ids):
        of_id = [line for line in accepted if line % ids == number]
        assert of_id == sorted(of_id)
    gaps = [after.at - before.at for before, after in pairwise(api.batches)]
    assert min(gaps, default=1.0) >= 0.99 / rate
    assert not world.pace.batch_ends


def happen(world: World, event: str, number: int, chance: random.Random) -> None:
    """A process is killed, or a person acts."""
    match event:
        case "resume":
            world.change_pace(steps.resume)
        case "set aside":
            name = f"{UPLOAD}/{chance.randint(1, world.orders)}"
            world.change_pace(lambda pace: steps.set_aside(pace, name, "the shop said so"))
        case _ if not world.account.upload.listed_open:
            return
        case _:
            other = replace(world.settings, batch_orders=chance.randint(2, 17))
            world.settings = other if event == "other batches" else world.settings
            world.crash(token=f"token-{number}", after_seconds=chance.choice((0.01, 1.0, 6.0)))
            world.run(6.1)
