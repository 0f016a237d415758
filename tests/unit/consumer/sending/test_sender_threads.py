"""Do the threads see what changes, end the process where they fail, and rest where nothing is due?

How often they look for work is counted over a span of time, with limits far above what is right
and far below what a loop without a rest would reach.
"""

import threading
from collections.abc import Callable

import pytest

from consumer.delivery.actions import Action
from consumer.delivery.attempts import Attempt, Unavailable
from consumer.delivery.delivery import Delivery
from consumer.sending import leased_shard
from ledger.pace import steps
from ledger.pace.pace import Override, Pause
from sandbox.simulation.faulty_ledger import LedgerFault
from tests.support.eventually import LIMIT_SECONDS, eventually
from tests.support.shard_at_work import ShardAtWork, begun

Manage = Callable[[ShardAtWork], ShardAtWork]
STRETCH_SECONDS = 0.25
ASKED_MAX = 40
FAILED_MAX = 10


class CountedDelivery(Delivery):
    """A delivery that counts how often it is asked for something to do."""

    asked = 0

    def next(self, now: float) -> Action | None:
        """See Delivery.next."""
        CountedDelivery.asked += 1
        return super().next(now)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Tells how often the delivery was asked for something to do in a span of time."""
    monkeypatch.setattr(leased_shard, "Delivery", CountedDelivery)

    def asked() -> int:
        before = CountedDelivery.asked
        threading.Event().wait(STRETCH_SECONDS)
        return CountedDelivery.asked - before

    return asked


def is_down(order_id: str) -> Attempt:
    del order_id
    return Unavailable(503, "down", may_have_arrived=False)


def test_what_a_thread_fails_with_reaches_the_process(managed: Manage) -> None:
    def breaks(order_id: str) -> Attempt:
        raise ZeroDivisionError(order_id)

    work = managed(ShardAtWork(orders=1, behaviour=breaks))
    work.begin()

    work.feed()

    eventually(lambda: bool(work.failures))
    assert [type(failure) for failure in work.failures] == [ZeroDivisionError]


def test_the_orders_of_a_fast_rate_take_no_more_threads_than_the_window_and_three(
    managed: Manage,
) -> None:
    work = managed(ShardAtWork(orders=20, rate="200/s", window_max=5))
    work.api.gate.clear()
    work.begin()
    feeding = begun(work.feed)
    eventually(lambda: len(work.api.received) == 5)
    work.api.gate.set()

    feeding.result(LIMIT_SECONDS)
    work.drain()

    assert len(work.shard.threads._threads) <= 8


@pytest.mark.usefixtures("short_rests")
def test_a_rate_set_by_somebody_else_gives_up_a_turn_that_is_waited_for(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3, rate="1/h"))
    work.begin()
    work.feed()
    eventually(lambda: work.account.tally.accepted == 1)
    faster = Override("50/s", "somebody", "hurry", until=None)

    work.change_pace(lambda pace: steps.override(pace, faster, now=work.clock.now()))

    work.drain()
    assert sorted(work.api.received) == work.order_ids


@pytest.mark.usefixtures("short_rests")
def test_a_pause_set_by_somebody_else_gives_up_a_turn_that_is_waited_for(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3, rate="1/h"))
    work.begin()
    work.feed()
    eventually(lambda: work.account.tally.accepted == 1)
    eventually(lambda: len(work.delivery.dispatcher.schedule.assigned) == 1)
    pause = Pause("somebody", "lunch", work.clock.now(), until=None)

    work.change_pace(lambda pace: steps.pause(pace, pause))

    eventually(lambda: not work.delivery.dispatcher.schedule.assigned)
    assert work.delivery.state(work.clock.now())[0] == "paused"


@pytest.mark.usefixtures("short_rests")
def test_a_cancel_by_somebody_else_settles_what_waits_for_its_turn(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3, rate="1/h"))
    work.begin()
    work.feed()
    eventually(lambda: work.account.tally.accepted == 1)

    work.cancel()

    work.drain()
    assert work.api.received == ["o1"]
    assert work.account.tally.cancelled == 2


def test_with_nothing_to_do_the_delivery_is_seldom_asked(
    managed: Manage, counted: Callable[[], int]
) -> None:
    work = managed(ShardAtWork())

    work.begin()

    assert counted() < ASKED_MAX


def test_with_a_turn_an_hour_away_the_delivery_is_seldom_asked(
    managed: Manage, counted: Callable[[], int]
) -> None:
    work = managed(ShardAtWork(rate="1/h"))
    work.begin()
    work.feed()

    eventually(lambda: work.account.tally.accepted == 1)

    assert counted() < ASKED_MAX


def test_while_somebody_else_has_it_paused_the_delivery_is_seldom_asked(
    managed: Manage, counted: Callable[[], int]
) -> None:
    work = managed(ShardAtWork())
    pause = Pause("somebody", "lunch", work.clock.now(), until=None)
    work.change_pace(lambda pace: steps.pause(pace, pause))
    work.begin()

    work.feed()

    assert counted() < ASKED_MAX
    assert work.api.received == []


@pytest.mark.parametrize("rate", ["50/s", "none"])
def test_while_the_ledger_fails_neither_it_nor_the_delivery_is_asked_without_rest(
    managed: Manage, counted: Callable[[], int], rate: str
) -> None:
    work = managed(ShardAtWork(rate=rate))
    work.api.gate.clear()
    work.begin()
    work.feed()
    eventually(lambda: bool(work.api.received))

    work.fault = lambda _: LedgerFault.REFUSED
    work.api.gate.set()
    eventually(lambda: bool(work.failed_calls()))

    assert counted() < ASKED_MAX
    assert len(work.failed_calls()) < FAILED_MAX


def test_what_waits_for_a_look_that_takes_long_is_not_asked_for_without_rest(
    managed: Manage, counted: Callable[[], int]
) -> None:
    work = managed(ShardAtWork(orders=2))
    work.api.gate.clear()
    work.begin()
    work.feed()
    eventually(lambda: len(work.api.received) == 2)
    asked, answered = threading.Event(), threading.Event()

    def hangs(name: str) -> LedgerFault:
        if name == "read_pace":
            asked.set()
            answered.wait(LIMIT_SECONDS)
        return LedgerFault.NONE

    work.fault = hangs
    assert asked.wait(LIMIT_SECONDS)
    work.api.gate.set()
    eventually(lambda: work.delivery.dispatcher.in_flight == 0)

    times_asked = counted()
    answered.set()
    assert times_asked < ASKED_MAX
    work.drain()
    assert work.account.tally.accepted == 2


@pytest.mark.parametrize("rate", ["50/s", "none"])
def test_a_hold_that_cannot_be_written_is_tried_again_after_a_rest(
    managed: Manage, counted: Callable[[], int], rate: str
) -> None:
    work = managed(ShardAtWork(rate=rate, behaviour=is_down))
    work.api.gate.clear()
    work.begin()
    work.feed()
    eventually(lambda: bool(work.api.received))

    work.fault = lambda name: work.refused(name, "swap_pace")
    work.api.gate.set()
    eventually(lambda: "change the pace" in work.failed_calls())

    assert counted() < ASKED_MAX
    assert len(work.failed_calls()) < FAILED_MAX


def test_while_a_hold_is_being_written_no_turns_of_before_are_reserved(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3, rate="20/s", behaviour=is_down))
    work.api.gate.clear()
    work.begin()
    work.feed()
    eventually(lambda: len(work.api.received) == 3)
    writes: list[str] = []

    def fails_once(name: str) -> LedgerFault:
        if name != "swap_pace" or work.ledger.read_pace().hold:
            return LedgerFault.NONE
        writes.append(name)
        return LedgerFault.NONE if "change the pace" in work.failed_calls() else LedgerFault.REFUSED

    work.fault = fails_once
    work.api.gate.set()

    eventually(lambda: work.ledger.read_pace().hold is not None)
    assert len(writes) < FAILED_MAX
