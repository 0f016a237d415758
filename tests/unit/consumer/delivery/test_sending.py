"""How are orders sent while nothing goes wrong?"""

from dataclasses import replace
from itertools import pairwise

import pytest

from consumer.delivery.actions import Refresh, Refreshed
from consumer.delivery.attempts import Accepted, Attempt
from consumer.delivery.entries import Stage
from consumer.delivery.events import TurnsWasted
from ledger.pace import steps
from ledger.pace.pace import Override, Pause
from ledger.uploads.upload import UploadState
from orders.upload import UploadId
from tests.support.simulated import START, UPLOAD, World


def test_every_order_is_sent_once_in_file_order_and_the_upload_is_done() -> None:
    world = World(orders=50)

    world.run_to_end()

    assert world.accepted() == [f"o{line}" for line in range(1, 51)]
    assert world.account.tally.accepted == 50
    assert world.account.waiting == 0
    assert world.account.upload.state is UploadState.DONE


@pytest.mark.parametrize("rate", ["1/s", "10/m", "5/s", "30/s"])
def test_starts_keep_the_interval_and_no_turn_is_wasted(rate: str) -> None:
    world = World(orders=60, rate=rate)

    world.run_to_end()

    interval = world.pace.rate(START).interval_seconds  # type: ignore[union-attr]
    assert min(world.gaps()) >= 0.99 * interval
    took = world.requests[-1].at - world.requests[0].at
    assert took == pytest.approx(59 * interval, rel=0.01)


def test_a_fast_rate_is_even_over_every_tenth_of_a_second() -> None:
    def quick(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id, at
        return 0.02, Accepted(200)

    world = World(orders=2_000, rate="1000/s", behaviour=quick)

    world.run_to_end()

    times = [request.at for request in world.requests]
    crowd = max(sum(1 for t in times if a <= t < a + 0.1) for a in times[::20])
    assert crowd <= 101
    assert times[-1] - times[0] == pytest.approx(1.999, rel=0.01)


def test_a_latency_above_the_interval_wastes_no_turn() -> None:
    def slow(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id, at
        return 2.5, Accepted(200)

    world = World(orders=180, behaviour=slow)

    world.run_to_end()

    took = world.requests[-1].at - world.requests[0].at
    assert took == pytest.approx(179.0, abs=0.5)
    assert sum(e.count for e in world.events if isinstance(e, TurnsWasted)) < 0.5


def test_two_orders_with_one_id_are_never_in_flight_together() -> None:
    def slow(order_id: str, at: float) -> tuple[float, Attempt]:
        del order_id, at
        return 3.0, Accepted(200)

    world = World(orders=40, behaviour=slow, order_id=lambda line: f"o{line // 2}")

    world.run_to_end()

    starts: dict[str, list[float]] = {}
    for request in world.requests:
        starts.setdefault(request.order_id, []).append(request.at)
    assert all(b - a >= 3.0 for times in starts.values() for a, b in pairwise(times))
    assert world.account.tally.accepted == 40


def test_a_change_of_the_pace_holds_within_a_second_and_makes_no_burst() -> None:
    world = World(orders=60, rate="10/m")
    world.run(20.0)
    before = len(world.requests)

    world.change_pace(lambda pace: steps.configure(pace, "2/s", now=world.timeline.now()))
    world.run(5.0)

    gained = world.requests[before:]
    assert gained[0].at - (START + 20.0) < 1.0
    assert len(gained) == pytest.approx(10, abs=2)
    assert min(world.gaps()[before:]) >= 0.99 * 0.5


def test_a_pause_stops_the_waiting_turn_too_and_ends_without_a_burst() -> None:
    world = World(orders=30)
    world.run(5.5)
    sent = len(world.requests)

    world.change_pace(lambda p: steps.pause(p, Pause("me", "stock-taking", START + 5.5, None)))
    world.run(60.0)
    held = len(world.requests)
    world.change_pace(steps.resume)
    world.run(5.0)

    assert held - sent <= 1
    assert len(world.requests) - held == pytest.approx(5, abs=1)
    assert min(world.gaps()) >= 0.99


def test_a_pause_with_an_end_ends_by_itself() -> None:
    world = World(orders=10)
    world.run(2.5)

    until = world.timeline.now() + 30.0
    pause = Pause("me", "maintenance", world.timeline.now(), until)
    world.change_pace(lambda pace: steps.pause(pace, pause))
    world.run_to_end(limit_seconds=60.0)

    assert world.account.tally.accepted == 10
    assert not [r for r in world.requests if pause.since + 1 < r.at < until]


def test_without_a_rate_orders_go_as_fast_as_the_api_takes_them() -> None:
    world = World(orders=2_000, rate="none")

    world.run_to_end(limit_seconds=60.0)

    assert world.account.tally.accepted == 2_000
    assert world.repeats() == 0


def test_a_cancelled_upload_sends_nothing_more_and_costs_no_turns() -> None:
    world = World(orders=5_000)
    world.run(10.2)

    world.ledger.cancel(UPLOAD, reason="wrong file", now=world.timeline.now())
    world.run_to_end(limit_seconds=10.0)

    tally = world.account.tally
    assert tally.accepted + tally.cancelled == 5_000
    assert tally.accepted == len(world.requests) <= 12
    assert world.account.upload.state is UploadState.CANCELLED


def test_an_upload_of_another_id_is_none_of_ours() -> None:
    world = World(orders=1)

    world.run_to_end()

    assert world.ledger.read_account(UploadId("f" * 20)) is None


@pytest.mark.parametrize("rate", ["4/s", "20/s", "50/s"])
@pytest.mark.parametrize("ledger_seconds", [0.03, 0.2])
def test_a_ledger_that_answers_slowly_wastes_no_turn(
    rate: str, ledger_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.simulation.process.LEDGER_SECONDS", ledger_seconds)
    world = World(orders=400, rate=rate)

    world.run_to_end()

    took = world.requests[-1].at - world.requests[50].at
    interval = 1.0 / float(rate.removesuffix("/s"))
    assert took == pytest.approx(349 * interval, rel=0.01)
    assert min(world.gaps()) >= 0.99 * interval


def test_turns_are_taken_in_their_order_however_late_a_thread_is() -> None:
    late = iter([0.0, 0.0, 0.9, *[0.0] * 200])
    world = World(orders=20, rate="2/s")
    world.simulation.late_seconds = lambda: next(late)

    world.run_to_end()

    assert world.accepted() == [f"o{line}" for line in range(1, 21)]


def test_a_change_of_the_pace_takes_all_turns_back_at_once_so_that_no_order_overtakes() -> None:
    world = World(orders=40, rate="4/s")
    delivery = world.process.delivery
    assigned = delivery.dispatcher.schedule.assigned
    assert world.timeline.run(lambda: len(assigned) > 1, until=START + 10.0)
    first, second = assigned[0], assigned[1]
    now = world.timeline.now()

    faster = steps.override(world.pace, Override("8/s", "ann", "", None), now=now)
    seen = Refreshed(replace(faster, revision=10_000), ())
    delivery.ended(Refresh(()), seen, now=now, seconds=0.0)
    delivery.dispatcher.given_up(second, now)  # its thread noticed first

    assert [first.entry.stage, second.entry.stage] == [Stage.WAITING, Stage.WAITING]
    delivery.dispatcher.given_up(first, now)
    assert not assigned
