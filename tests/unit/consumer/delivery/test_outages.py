"""What does delivery do when the API is down, says wait, or takes no credential?"""

import random
from bisect import bisect
from functools import partial
from itertools import pairwise

import pytest

from consumer.delivery.attempts import (
    Accepted,
    Attempt,
    Conflict,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from consumer.delivery.delivery_settings import DeliverySettings
from ledger.pace import steps
from ledger.pace.hold import HoldKind
from ledger.pace.pace import Pause
from ledger.uploads.upload import UploadState
from sandbox.simulation.world import Behaviour
from tests.support.simulated import SHARD, START, UPLOAD, World

DOWN = Unavailable(503, "the API answered 503", may_have_arrived=True)


def while_down(attempt: Attempt, *, begin: float, end: float) -> Behaviour:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id
        is_down = START + begin <= at < START + end
        return 0.15, attempt if is_down else Accepted(200)

    return behaviour


def between(world: World, begin: float, end: float) -> int:
    return sum(1 for r in world.requests if START + begin <= r.at < START + end)


def test_an_outage_costs_time_and_no_order() -> None:
    world = World(orders=100, behaviour=while_down(DOWN, begin=30, end=630))

    world.run_to_end()

    assert between(world, 30, 630) <= 150
    assert between(world, 630, 637) >= 1
    assert world.account.tally.accepted == 100
    assert world.account.upload.state is UploadState.DONE
    assert world.repeats() == 0
    assert min(world.gaps()) >= 0.99


def test_after_an_outage_sending_is_at_full_pace_within_six_seconds() -> None:
    world = World(orders=200, behaviour=while_down(DOWN, begin=30, end=630))

    world.run(700.0)

    assert between(world, 636, 696) >= 59


def test_an_api_that_asks_to_wait_gets_one_request_each_time_it_named() -> None:
    throttled = Throttled(5.0, "429")
    world = World(orders=100, behaviour=while_down(throttled, begin=20, end=80))

    world.run_to_end()

    assert between(world, 20, 80) <= 13
    assert world.account.tally.accepted == 100


def test_a_probe_that_was_reserved_before_waits_as_long_as_the_api_asks_now() -> None:
    def slow(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id
        return 2.9, Throttled(20.0, "429") if at < START + 80 else Accepted(200)

    world = World(orders=20, behaviour=slow)

    world.run_to_end()

    times = [r.at - START for r in world.requests if START + 24 < r.at < START + 80]
    assert min(after - before for before, after in pairwise(times)) >= 20.0


@pytest.mark.parametrize("wrong", [Unauthorized(401, "the API answered 401"), DOWN])
def test_what_people_change_during_a_hold_does_not_put_its_end_off(wrong: Attempt) -> None:
    world = World(orders=20, behaviour=while_down(wrong, begin=0, end=3))
    for _ in range(20):
        world.run(0.5)
        pause = Pause("ann", "", world.timeline.now(), None)
        world.change_pace(partial(steps.pause, value=pause))
        world.change_pace(steps.resume)

    world.run(40.0)

    assert world.account.tally.accepted == 20


def test_restarts_during_a_hold_do_not_put_its_end_off() -> None:
    wrong = Unauthorized(401, "the API answered 401")
    world = World(orders=20, behaviour=while_down(wrong, begin=0, end=3))
    for life in range(2, 10):
        world.run(1.0)
        world.crash(token=f"token-{life}", after_seconds=0.0)

    world.run(40.0)

    assert world.account.tally.accepted == 20


def test_a_wait_beyond_an_hour_is_not_believed() -> None:
    throttled = Throttled(1e9, "429")
    world = World(orders=5, behaviour=while_down(throttled, begin=2, end=3))

    world.run_to_end(limit_seconds=3_700.0)

    assert world.account.tally.accepted == 5


def test_a_wrong_credential_blocks_sending_within_three_attempts_and_heals_by_itself() -> None:
    wrong = Unauthorized(401, "the API answered 401")
    world = World(orders=20, behaviour=while_down(wrong, begin=0, end=300))
    world.run(10.0)
    early = between(world, 0, 10)
    hold = world.pace.hold

    world.run_to_end()

    assert early <= 3
    assert hold is not None
    assert hold.kind is HoldKind.UNAUTHORIZED
    assert world.account.tally.accepted == 20
    assert world.account.tally.refused == 0


def test_one_bad_order_is_refused_and_does_not_hold_the_others() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return 0.15, DOWN if order_id == "o10" else Accepted(200)

    world = World(orders=100, behaviour=behaviour)
    world.run(70.0)
    after_a_minute = len(world.accepted())

    world.run_to_end()

    letters = list(world.ledger.dead_letters(limit=10))
    assert after_a_minute > 40
    assert world.account.tally.accepted == 99
    assert world.account.tally.refused == 1
    assert [letter.order_id for letter in letters] == ["o10"]
    assert letters[0].reason.startswith("failed alone")


def test_orders_on_their_way_when_an_outage_begins_are_no_evidence_against_the_others() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id
        if START + 60.0 <= at < START + 1_260.0:
            return 0.15, DOWN
        return 2.9, Accepted(200)

    settings = DeliverySettings(SHARD, "token-1", window_max=8)
    world = World(orders=100, behaviour=behaviour, settings=settings)

    world.run_to_end()

    assert world.account.tally.accepted == 100
    assert world.repeats() == 0


def test_a_bad_order_is_refused_although_only_another_of_its_id_is_left_in_the_window() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return 0.15, DOWN if order_id == "twin" else Accepted(200)

    settings = DeliverySettings(SHARD, "token-1", window_max=6, failed_alone=8)
    world = World(
        orders=40,
        behaviour=behaviour,
        order_id=lambda line: "twin" if line in {10, 11} else f"o{line}",
        settings=settings,
    )

    world.run_to_end(limit_seconds=2_000.0)

    assert world.account.tally.accepted == 38
    assert world.account.tally.refused == 2


SELDOM = [pytest.param(size, marks=pytest.mark.slow) for size in (3, 6, 64)]


@pytest.mark.parametrize("window_max", [1, 2, 4, 16, *SELDOM])
@pytest.mark.parametrize(
    ("rate", "latency_seconds"), [("1/s", 0.15), ("10/s", 0.15), ("200/s", 0.4)]
)
def test_wherever_two_bad_orders_lie_in_the_window_both_are_refused(
    window_max: int, rate: str, latency_seconds: float
) -> None:
    for distance in {1, 2, window_max - 1, window_max, window_max + 1} - {0}:
        bad = {"o5": latency_seconds, f"o{5 + distance}": 30.0 * (distance == 1) or latency_seconds}

        def behaviour(
            order_id: str, at: float, bad: dict[str, float] = bad
        ) -> tuple[float, Attempt]:
            del at
            if order_id in bad:
                return bad[order_id], DOWN
            return latency_seconds, Accepted(200)

        settings = DeliverySettings(SHARD, "token-1", window_max=window_max)
        world = World(orders=160, rate=rate, behaviour=behaviour, settings=settings)

        world.run_to_end(limit_seconds=3_600.0)

        assert world.account.tally.accepted == 158
        assert world.account.tally.refused == 2


@pytest.mark.parametrize("rate", ["20/s", "300/s", "2000/s"])
def test_a_last_order_is_sent_although_a_reservation_takes_longer_than_its_interval(
    rate: str,
) -> None:
    world = World(orders=1, rate=rate)

    world.run_to_end(limit_seconds=5.0)

    assert len(world.requests) == 1


@pytest.mark.parametrize("seed", range(12))
def test_an_api_that_flaps_costs_no_good_order(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - what a test draws, it must draw again
    edges = [START]
    while edges[-1] < START + 600.0:
        edges.append(edges[-1] + chance.expovariate(1 / 10.0))
        edges.append(edges[-1] + chance.expovariate(1 / 2.0))

    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id
        is_down = bisect(edges, at) % 2 == 0
        return 1.5, DOWN if is_down else Accepted(200)

    world = World(orders=100, behaviour=behaviour)

    world.run_to_end()

    assert world.account.tally.accepted == 100


def test_two_bad_orders_are_both_refused() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return 0.15, DOWN if order_id in {"o10", "o11"} else Accepted(200)

    world = World(orders=100, behaviour=behaviour)

    world.run_to_end(limit_seconds=600.0)

    assert world.account.tally.accepted == 98
    assert world.account.tally.refused == 2


def test_a_refused_order_is_a_dead_letter_with_its_reason_and_the_rest_goes_on() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        refused = Refused(422, "the API answered 422", "no such sku")
        return 0.15, refused if order_id == "o7" else Accepted(200)

    world = World(orders=20, behaviour=behaviour)

    world.run_to_end()

    (letter,) = world.ledger.dead_letters(limit=10)
    assert (letter.order_id, letter.line, letter.status) == ("o7", 7, 422)
    assert letter.body == b'{"order_id":"o7"}'
    assert letter.answer == "no such sku"
    assert world.account.upload.state is UploadState.DONE_WITH_PROBLEMS


def test_refusals_above_the_budget_block_sending_until_a_person_resumes() -> None:
    world = World(
        orders=1_000,
        behaviour=while_down(Refused(400, "bad deploy", ""), begin=100, end=10_000),
        settings=DeliverySettings(SHARD, "token-1", refusal_budget=(20, 5.0)),
    )
    world.run(1_000.0)
    refused = world.account.tally.refused

    world.change_pace(steps.resume)
    world.run(100.0)

    assert refused == 21
    assert world.account.tally.refused == 42


@pytest.mark.parametrize(("arrived", "accepted"), [(True, 1), (False, 0)])
def test_a_conflict_counts_as_accepted_only_after_an_attempt_that_may_have_arrived(
    arrived: bool, accepted: int
) -> None:
    answers: list[Attempt] = [
        Unavailable(None, "reset", may_have_arrived=arrived),
        Conflict(409, "exists"),
        Accepted(200),
    ]

    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return 0.15, answers.pop(0) if order_id == "o70" else Accepted(200)

    world = World(orders=70, behaviour=behaviour)

    world.run_to_end()

    assert world.account.tally.accepted == 69 + accepted
    assert world.account.tally.refused == 1 - accepted


def test_an_order_set_aside_by_hand_is_refused_and_the_rest_goes_on() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return 0.15, DOWN if order_id == "o1" else Accepted(200)

    world = World(orders=1, behaviour=behaviour)
    world.run(60.0)
    held = world.account.waiting

    name = f"{world.account.upload.id}/1"
    world.change_pace(lambda pace: steps.set_aside(pace, name, "the shop said so"))
    world.run_to_end(limit_seconds=10.0)

    (letter,) = world.ledger.dead_letters(limit=10)
    assert held == 1
    assert letter.reason == "set aside: the shop said so"
    assert world.pace.set_aside == {}


def test_an_order_set_aside_before_it_was_in_hand_keeps_its_id_in_the_dead_letter() -> None:
    world = World(orders=5)
    name = f"{world.account.upload.id}/4"

    world.change_pace(lambda pace: steps.set_aside(pace, name, "the shop said so"))
    world.run_to_end()

    (letter,) = world.ledger.dead_letters(limit=10)
    assert letter.order_id == "o4"


def test_an_order_that_is_accepted_after_all_is_not_set_aside_for_ever() -> None:
    def slow(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id, at
        return 2.0, Accepted(200)

    world = World(orders=5, behaviour=slow)
    world.run(0.5)

    name = f"{world.account.upload.id}/1"
    world.change_pace(lambda pace: steps.set_aside(pace, name, "too late"))
    world.run_to_end()
    world.run(1.0)

    assert world.account.tally.accepted == 5
    assert world.pace.set_aside == {}


@pytest.mark.parametrize("good_seconds", [0.15, 2.5])
def test_an_order_that_alone_gets_429_is_refused_and_the_others_go_on(good_seconds: float) -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        if order_id == "o3":
            return 0.15, Throttled(None, "the API answered 429 Too Many Requests")
        return good_seconds, Accepted(200)

    world = World(orders=100, behaviour=behaviour)

    world.run_to_end(limit_seconds=300.0)

    assert world.account.tally.accepted == 99
    assert [letter.order_id for letter in world.ledger.dead_letters(UPLOAD, limit=9)] == ["o3"]
    assert len(world.requests) <= 99 + 12


def test_an_order_that_alone_is_told_to_wait_an_hour_holds_the_others_once() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        if order_id == "o3":
            return 0.15, Throttled(3_600.0, "the API answered 429 Too Many Requests")
        return 0.15, Accepted(200)

    world = World(orders=100, behaviour=behaviour)

    world.run_to_end(limit_seconds=3 * 3_600.0)

    assert world.account.tally.accepted == 99


def test_an_isolated_429_costs_one_turn() -> None:
    refused: list[str] = []

    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        if order_id == "o20" and not refused:
            refused.append(order_id)
            return 0.15, Throttled(None, "the API answered 429 Too Many Requests")
        return 0.15, Accepted(200)

    world = World(orders=40, behaviour=behaviour)

    world.run_to_end()

    assert world.accepted() == [f"o{line}" for line in range(1, 41)]
    assert world.requests[-1].at - world.requests[0].at == pytest.approx(40.0, abs=0.05)


@pytest.mark.parametrize("seconds", [240.0, 900.0])
@pytest.mark.parametrize("width", [0.02, 0.06, 0.2])
def test_a_path_that_jitters_is_learned_and_forgotten(width: float, seconds: float) -> None:
    chance = random.Random(3)  # noqa: S311 - what a test draws, it must draw again
    quiet_from = START + seconds
    last = [0.0]

    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        """An API that counts from arrival, and tolerates 20 ms."""
        del order_id
        delay = chance.uniform(0.0, width) if at < quiet_from else 0.0
        if at + delay - last[0] < 1.0 - 0.02:
            return 0.05 + delay, Throttled(None, "the API answered 429 Too Many Requests")
        last[0] = at + delay
        return 0.05 + delay, Accepted(200)

    world = World(orders=int(seconds) + 500, behaviour=behaviour)

    world.run_to_end()

    jittery = [r for r in world.requests if START + 60.0 <= r.at < quiet_from]
    accepted = sum(r.was_accepted for r in jittery)
    assert accepted / (seconds - 60.0) >= 0.95 / (1.0 + max(width - 0.02, 0.0))
    assert len(jittery) - accepted <= 0.01 * len(jittery) + 1
    quiet = [r for r in world.requests if quiet_from + 180.0 <= r.at < quiet_from + 280.0]
    assert len(quiet) >= 99


def test_429s_that_come_with_jitter_make_no_dead_letter() -> None:
    chance = random.Random(5)  # noqa: S311 - what a test draws, it must draw again

    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id, at
        is_refused = chance.random() < 0.4
        return 0.15, Throttled(None, "429") if is_refused else Accepted(200)

    world = World(orders=600, behaviour=behaviour)

    world.run_to_end()

    assert world.account.tally.accepted == 600


@pytest.mark.parametrize("begin", [9.5, 10.05, 10.2, 10.9])
@pytest.mark.parametrize("rate", ["1/s", "2/s", "4/s"])
def test_an_outage_changes_nothing_in_the_order_in_which_orders_are_begun(
    rate: str, begin: float
) -> None:
    world = World(orders=80, rate=rate, behaviour=while_down(DOWN, begin=begin, end=begin + 7.0))

    world.run_to_end()

    begun = list(dict.fromkeys(request.order_id for request in world.requests))
    assert begun == [f"o{line}" for line in range(1, 81)]
