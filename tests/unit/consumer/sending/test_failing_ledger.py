"""What does sending do while calls of the ledger fail, or a row of it is missing?"""

from collections.abc import Callable
from typing import cast

import pytest

from consumer.delivery import settle_queue
from consumer.delivery.attempts import Accepted, Attempt, Refused, Unavailable
from consumer.sending import leased_shard
from ledger.pace import steps
from ledger.pace.hold import BACK_OFF_SECONDS, HoldKind
from ledger.pace.pace import Blocker
from ledger.sending_status import SendingState, sending_status
from ledger.uploads.lane import Tally
from ledger.uploads.upload import UploadState
from sandbox.simulation.faulty_ledger import LedgerFault
from tests.support.eventually import LIMIT_SECONDS, eventually
from tests.support.shard_at_work import LANE, SHARD, ShardAtWork, begun

Manage = Callable[[ShardAtWork], ShardAtWork]
LOST = [LedgerFault.REFUSED, LedgerFault.ANSWER_LOST]
pytestmark = pytest.mark.usefixtures("short_rests")


def until_told(work: ShardAtWork, call: str, method: str, fault: LedgerFault) -> None:
    """Have a method of the ledger fail until a call has failed by it.

    Not longer: a call whose answer was lost may have nothing left to write.
    """

    def faulty(name: str) -> LedgerFault:
        has_failed = call in work.failed_calls()
        return fault if name == method and not has_failed else LedgerFault.NONE

    work.fault = faulty


def assert_all_arrived_once(work: ShardAtWork) -> None:
    assert sorted(work.api.received) == sorted(work.order_ids)
    assert work.account.tally == Tally(accepted=work.orders)
    assert work.account.upload.state is UploadState.DONE
    assert not work.failures


@pytest.mark.parametrize("fault", LOST)
def test_the_shard_is_owned_although_the_ledger_fails_at_first(
    managed: Manage, fault: LedgerFault
) -> None:
    work = managed(ShardAtWork())
    until_told(work, "own the shard", "swap_pace", fault)

    work.send_all()

    assert work.failed_calls().count("own the shard") == 1
    assert_all_arrived_once(work)


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize(
    ("call", "method"),
    [
        ("read a lane", "read_lane"),
        ("read a lane", "read_account"),
        ("reserve a turn", "swap_pace"),
        ("settle", "settle"),
        ("settle", "close_if_drained"),
        ("read the pace", "read_pace"),
    ],
)
def test_an_errand_that_fails_is_tried_again_and_no_order_is_lost_or_repeated(
    managed: Manage, call: str, method: str, fault: LedgerFault
) -> None:
    work = managed(ShardAtWork(rate="50/s"))
    work.begin()
    until_told(work, call, method, fault)

    work.feed()
    work.drain()
    work.follow()

    eventually(lambda: call in work.failed_calls())
    assert_all_arrived_once(work)


@pytest.mark.parametrize("fault", LOST)
def test_a_change_of_the_pace_that_fails_is_tried_again(
    managed: Manage, monkeypatch: pytest.MonkeyPatch, fault: LedgerFault
) -> None:
    monkeypatch.setitem(
        cast("dict[HoldKind, tuple[float, ...]]", BACK_OFF_SECONDS), HoldKind.UNAVAILABLE, (0.05,)
    )
    attempts: list[str] = []

    def fails_once(order_id: str) -> Attempt:
        attempts.append(order_id)
        if len(attempts) > 1:
            return Accepted(200)
        until_told(work, "change the pace", "swap_pace", fault)
        return Unavailable(503, "down", may_have_arrived=False)

    work = managed(ShardAtWork(rate="50/s", behaviour=fails_once))

    work.send_all()

    assert work.failed_calls().count("change the pace") == 1
    assert work.ledger.read_pace().hold is None
    assert work.ledger.read_pace().generation == 2
    assert work.api.received.count("o1") == 2
    assert work.account.tally == Tally(accepted=5)


def test_a_dead_letter_whose_answer_is_lost_is_kept_once(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=1, behaviour=lambda _: Refused(422, "no", "")))
    until_told(work, "settle", "put_dead_letter", LedgerFault.ANSWER_LOST)

    work.send_all()

    assert work.account.tally == Tally(refused=1)
    assert work.api.received == ["o1"]


def test_a_missing_row_blocks_the_shard_and_nothing_is_sent_until_it_is_there(
    managed: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leased_shard, "MISSING_ROW_SECONDS", 0.02)
    work = managed(ShardAtWork(has_row=False))
    work.begin()

    feeding = begun(work.feed)

    eventually(lambda: bool(work.ledger.read_pace().blockers))
    (name,) = work.ledger.read_pace().blockers
    assert name == f"{SHARD} ledger row"
    eventually(lambda: work.delivery.state(work.clock.now())[0] == "blocked")
    assert work.api.received == []

    work.add_row()

    feeding.result(LIMIT_SECONDS)
    assert not work.ledger.read_pace().blockers
    work.drain()
    assert_all_arrived_once(work)


def test_a_resume_does_not_lift_the_blocker_of_a_row_that_is_still_missing(
    managed: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leased_shard, "MISSING_ROW_SECONDS", 0.02)
    work = managed(ShardAtWork(has_row=False))
    work.begin()
    feeding = begun(work.feed)
    eventually(lambda: bool(work.ledger.read_pace().blockers))

    work.change_pace(steps.resume)

    eventually(lambda: bool(work.ledger.read_pace().blockers))
    sending = sending_status(work.ledger.read_pace(), work.clock.now())
    assert (sending.state, sending.cause) == (SendingState.BLOCKED, "ledger row missing")
    assert not feeding.done()
    work.add_row()
    feeding.result(LIMIT_SECONDS)
    work.drain()
    assert_all_arrived_once(work)


@pytest.mark.parametrize("method", ["put_dead_letter", "settle"])
def test_a_write_that_the_ledger_refuses_for_ever_blocks_the_shard_until_it_is_taken(
    managed: Manage, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(settle_queue, "REFUSED_SECONDS", 0.02)
    work = managed(ShardAtWork(orders=3, behaviour=lambda _: Refused(422, "no", "")))
    work.fault = lambda name: LedgerFault.REFUSED_FOR_GOOD if name == method else LedgerFault.NONE
    work.begin()
    work.feed()
    eventually(lambda: bool(work.ledger.read_pace().blockers))

    work.change_pace(steps.resume)

    eventually(lambda: bool(work.ledger.read_pace().blockers))
    sending = sending_status(work.ledger.read_pace(), work.clock.now())
    assert (sending.state, sending.cause) == (SendingState.BLOCKED, "ledger refuses a write")
    assert f"{method} was refused for good" in sending.reason
    work.fault = lambda _: LedgerFault.NONE
    work.drain()
    eventually(lambda: not work.ledger.read_pace().blockers)
    assert work.account.tally == Tally(refused=3)


def test_a_row_that_goes_missing_while_its_orders_are_in_hand_blocks_the_shard(
    managed: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle_queue, "REFUSED_SECONDS", 0.02)
    work = managed(ShardAtWork(orders=3))
    work.api.gate.clear()
    work.begin()
    work.feed()
    eventually(lambda: bool(work.api.received))

    row = work.ledger._lanes.pop(LANE)
    work.api.gate.set()

    eventually(lambda: bool(work.ledger.read_pace().blockers))
    sending = sending_status(work.ledger.read_pace(), work.clock.now())
    assert (sending.state, sending.cause) == (SendingState.BLOCKED, "ledger row missing")
    work.ledger._lanes[LANE] = row
    work.drain()
    eventually(lambda: not work.ledger.read_pace().blockers)
    assert_all_arrived_once(work)


def test_the_blocker_of_a_refused_write_that_an_old_owner_left_is_lifted(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3))
    work.begin()
    left = Blocker("ledger refuses a write", "of a process that is gone", 0.0)
    work.change_pace(lambda pace: steps.block(pace, f"{SHARD} settle {LANE.upload}/0", left))

    work.feed()
    work.drain()

    assert_all_arrived_once(work)
    eventually(lambda: not work.ledger.read_pace().blockers)
