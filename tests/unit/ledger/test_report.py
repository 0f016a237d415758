"""The report: what is left, when it will be done, what stops sending."""

from dataclasses import replace

import pytest

from ledger.claim import Claim
from ledger.pace.history import Sample
from ledger.pace.hold import Failure, HoldKind
from ledger.pace.pace import Blocker, Override, Pace, Pause
from ledger.pace.reservation import Reserved
from ledger.pace.steps import block, configure, failed, override, pause
from ledger.report import LedgerView, PaceSource, StatusReport, report
from ledger.sending_status import SendingState, SendingStatus
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account, UploadState
from tests.support.stores import claim
from tests.unit.ledger import drains

NOW = 1_000_000.0
ONE_PER_SECOND = configure(Pace(), "1/s", now=0.0)


def account(
    *, enqueued: int, tally: Tally, age: float = 100.0, state: UploadState = UploadState.SENDING
) -> Account:
    return drains.account(enqueued=enqueued, tally=tally, state=state, created_at=NOW - age)


def look(
    *accounts: Account,
    pace: Pace = ONE_PER_SECOND,
    ended: Tally | None = None,
    samples: tuple[Sample, ...] = (),
    now: float = NOW,
    claims: tuple[Claim, ...] | None = None,
) -> StatusReport:
    view = LedgerView(accounts, ended or Tally(), pace, samples, claims)
    return report(view, retention_seconds=90 * 86_400, now=now)


def test_the_backlog_is_what_was_enqueued_and_is_not_settled() -> None:
    status = look(
        account(enqueued=300, tally=Tally(accepted=90, refused=5), age=50),
        account(enqueued=10, tally=Tally(), age=20),
    )

    assert status.backlog.waiting == 215
    assert status.backlog.age_seconds == 50
    assert status.backlog.runway_seconds == 90 * 86_400 - 50


def test_nothing_waiting_is_done_now_and_has_no_runway() -> None:
    status = look(account(enqueued=5, tally=Tally(accepted=5)))

    assert status.backlog.waiting == 0
    assert status.backlog.runway_seconds is None
    assert status.estimate.seconds == 0


def test_settled_orders_are_those_of_ended_and_of_open_uploads() -> None:
    closed = account(enqueued=9, tally=Tally(accepted=9))
    closed = Account(replace(closed.upload, listed_open=False), closed.lanes)

    status = look(account(enqueued=9, tally=Tally(refused=2)), closed, ended=Tally(accepted=9))

    assert status.settled == Tally(accepted=9, refused=2)


def test_the_estimate_is_the_backlog_at_the_target_pace() -> None:
    status = look(account(enqueued=300, tally=Tally(accepted=60)))

    assert status.estimate.seconds == 240
    assert status.pace.target_per_second == 1.0
    assert status.pace.source is PaceSource.CONFIGURED


def test_an_override_is_the_pace_until_it_ends() -> None:
    pace = override(ONE_PER_SECOND, Override("4/s", "me", "hurry", until=NOW + 10), now=NOW)

    assert look(pace=pace).pace.target_per_second == 4.0
    assert look(pace=pace).pace.source is PaceSource.OVERRIDE
    assert look(pace=pace, now=NOW + 10).pace.target_per_second == 1.0


def test_the_time_over_which_the_pace_was_measured_is_reported() -> None:
    samples = (Sample(NOW - 5, 0, 0),)

    pace = look(account(enqueued=100, tally=Tally(accepted=4)), samples=samples).pace

    assert (pace.achieved_per_second, pace.measured_seconds) == (0.8, 5)


def test_who_set_the_pace_is_reported_until_it_ends() -> None:
    hurry = Override("4/s", "ann", "hurry", until=NOW + 10)
    pace = override(ONE_PER_SECOND, hurry, now=NOW)

    assert look(pace=pace).pace.override == hurry
    assert look(pace=pace, now=NOW + 10).pace.override is None


def test_without_a_limit_the_measured_pace_gives_the_estimate() -> None:
    samples = (Sample(NOW - 10, 0, 0),)
    pace = configure(Pace(), "none", now=0.0)

    status = look(account(enqueued=2_000, tally=Tally(accepted=1_000)), pace=pace, samples=samples)

    assert status.pace.target_per_second is None
    assert status.estimate.seconds == 10


def test_without_a_limit_and_a_measure_nobody_can_say() -> None:
    status = look(account(enqueued=5, tally=Tally()), pace=configure(Pace(), "none", now=0.0))

    assert status.estimate.seconds is None
    assert "no limit" in status.estimate.reason


def test_without_a_rate_sending_is_blocked_and_the_reason_says_what_to_do() -> None:
    status = look(account(enqueued=5, tally=Tally()), pace=Pace())

    assert status.sending.state is SendingState.BLOCKED
    assert "ORDERS_RATE" in status.sending.reason
    assert status.estimate.seconds is None
    assert status.pace.source is PaceSource.UNSET


def test_a_pause_with_an_end_is_added_to_the_estimate() -> None:
    pace = pause(ONE_PER_SECOND, Pause("ann", "stocktaking", since=NOW, until=NOW + 600))

    status = look(account(enqueued=5, tally=Tally()), pace=pace)

    assert status.sending.state is SendingState.PAUSED
    assert "ann" in status.sending.reason
    assert (status.sending.since, status.sending.until) == (NOW, NOW + 600)
    assert status.estimate.seconds == 605


def test_a_pause_without_an_end_has_no_estimate() -> None:
    pace = pause(ONE_PER_SECOND, Pause("ann", "stocktaking", since=NOW, until=None))

    assert look(account(enqueued=5, tally=Tally()), pace=pace).estimate.seconds is None


def test_a_blocker_comes_before_all_else() -> None:
    paused = pause(ONE_PER_SECOND, Pause("ann", "stocktaking", since=NOW, until=None))
    blocked = block(
        paused, "refusals", Blocker("refusal budget spent", "30 of 100 refused", since=NOW)
    )

    status = look(account(enqueued=5, tally=Tally()), pace=blocked)

    assert status.sending.state is SendingState.BLOCKED
    assert "30 of 100" in status.sending.reason


def test_a_short_hold_is_added_to_the_estimate_and_a_long_one_has_none() -> None:
    held = failed(ONE_PER_SECOND, Failure(HoldKind.UNAVAILABLE, 0, "503", 5.0, NOW), now=NOW)
    waiting = account(enqueued=5, tally=Tally())

    assert look(waiting, pace=held).sending.state is SendingState.HELD
    assert look(waiting, pace=held).estimate.seconds == 10
    assert look(waiting, pace=held, now=NOW + 61).estimate.seconds is None


def test_without_the_right_credential_sending_is_blocked_because_a_person_must_act() -> None:
    refused = failed(ONE_PER_SECOND, Failure(HoldKind.UNAUTHORIZED, 0, "401", 0.0, NOW), now=NOW)

    status = look(account(enqueued=5, tally=Tally()), pace=refused)

    assert status.sending == SendingStatus(
        SendingState.BLOCKED, "unauthorized: 401", "unauthorized", since=NOW
    )
    assert status.estimate.seconds is None


def test_orders_of_a_cancelled_upload_wait_no_more_and_take_no_turns() -> None:
    status = look(account(enqueued=500, tally=Tally(), state=UploadState.CANCELLED))

    assert (status.backlog.waiting, status.backlog.cancelling) == (0, 500)
    assert status.backlog.runway_seconds is None
    assert status.estimate.seconds == 0


def test_without_a_live_worker_sending_is_stopped_and_nobody_knows_the_end() -> None:
    dead = claim("a", heartbeat_at=NOW - 31)

    status = look(account(enqueued=500, tally=Tally()), claims=(dead,))

    assert status.sending.state is SendingState.STOPPED
    assert status.sending.since == NOW - 31
    assert "worker number 1 (process 100 on host-a)" in status.sending.reason
    assert "start it again" in status.sending.reason
    assert (status.estimate.seconds, status.estimate.reason) == (None, status.sending.reason)


def test_one_live_worker_is_enough() -> None:
    dead, alive = claim("a", heartbeat_at=NOW - 900), claim("b", number=2, heartbeat_at=NOW - 30)

    assert look(claims=(dead, alive)).sending.state is SendingState.RUNNING


def test_a_turn_just_taken_is_life_even_where_the_worker_itself_hangs() -> None:
    hung = claim("a", heartbeat_at=NOW - 300)
    sends = replace(ONE_PER_SECOND, next_free=NOW - 29)
    sent = replace(ONE_PER_SECOND, next_free=NOW - 30)

    assert look(pace=sends, claims=(hung,)).sending.state is SendingState.RUNNING
    assert look(pace=sent, claims=(hung,)).sending.since == NOW - 31


def test_a_turn_just_taken_is_life_although_the_next_one_is_reserved_already() -> None:
    hung = claim("a", heartbeat_at=NOW - 300)
    rows = (Reserved(NOW - 0.7, 1, 1.0, "s"), Reserved(NOW + 0.3, 1, 1.0, "s"))
    sends = replace(ONE_PER_SECOND, next_free=NOW + 1.3, reserved=rows)

    assert look(pace=sends, claims=(hung,)).sending.state is SendingState.RUNNING


@pytest.mark.parametrize("claims", [(), (claim("dead", heartbeat_at=NOW - 900),)])
def test_a_worker_whose_claim_is_not_listed_shows_life_by_its_polls_and_its_turns(
    claims: tuple[Claim, ...],
) -> None:
    looked = (Sample(NOW - 30, 0, 5),)
    sends = replace(ONE_PER_SECOND, next_free=NOW - 29)

    assert look(samples=looked, claims=claims).sending.state is SendingState.RUNNING
    assert look(pace=sends, claims=claims).sending.state is SendingState.RUNNING
    assert look(claims=claims).sending.state is SendingState.STOPPED


def test_future_turns_are_no_sign_of_life() -> None:
    reserved = replace(
        ONE_PER_SECOND, next_free=NOW + 2, reserved=(Reserved(NOW + 1, 1, 1.0, "s"),)
    )

    status = look(pace=reserved, samples=(Sample(NOW - 31, 0, 5),), claims=())

    assert (status.sending.state, status.sending.since) == (SendingState.STOPPED, NOW - 31)


def test_a_heartbeat_far_ahead_of_the_time_keeps_no_dead_worker_alive() -> None:
    ahead = claim("a", heartbeat_at=NOW + 600)
    looked = (Sample(NOW - 40, 0, 5),)

    status = look(samples=looked, claims=(ahead,))

    assert (status.sending.state, status.sending.since) == (SendingState.STOPPED, NOW - 40)
    assert "no sign of life but a heartbeat 600 s ahead of the time" in status.sending.reason
    assert look(claims=(ahead,)).sending.since is None


def test_a_heartbeat_far_ahead_hides_no_worker_that_is_alive() -> None:
    ahead, alive = claim("a", heartbeat_at=NOW + 600), claim("b", number=2, heartbeat_at=NOW - 1)
    little_ahead = claim("c", number=3, heartbeat_at=NOW + 30)

    assert look(claims=(ahead, alive)).sending.state is SendingState.RUNNING
    assert look(claims=(little_ahead,)).sending.state is SendingState.RUNNING
    sends = replace(ONE_PER_SECOND, next_free=NOW)
    assert look(pace=sends, claims=(ahead,)).sending.state is SendingState.RUNNING


def test_the_worker_that_is_missed_is_the_last_one_whose_clock_can_be_believed() -> None:
    ahead, dead = claim("a", heartbeat_at=NOW + 600), claim("b", number=2, heartbeat_at=NOW - 50)

    status = look(claims=(ahead, dead))

    assert status.sending.since == NOW - 50
    assert "worker number 2 (process 100 on host-a) shows no sign of life:" in status.sending.reason


def test_a_worker_that_released_its_claim_was_stopped_after_its_last_poll() -> None:
    status = look(claims=(), samples=(Sample(NOW - 70, 0, 5), Sample(NOW - 60, 0, 5)))

    assert status.sending.state is SendingState.STOPPED
    assert status.sending.since == NOW - 60
    assert "the last one was stopped" in status.sending.reason


def test_that_no_worker_ever_started_is_reported_even_if_it_would_set_the_rate() -> None:
    status = look(pace=Pace(), claims=())

    assert status.sending.state is SendingState.STOPPED
    assert status.sending.since is None
    assert "no worker has started yet" in status.sending.reason


def test_a_pause_comes_before_a_dead_worker_and_both_are_reported() -> None:
    pace = pause(ONE_PER_SECOND, Pause("ann", "stocktaking", since=NOW, until=NOW + 600))

    status = look(account(enqueued=5, tally=Tally()), pace=pace, claims=())

    assert status.sending.state is SendingState.PAUSED
    assert "paused by ann: stocktaking; besides, no worker" in status.sending.reason
    assert status.estimate.seconds is None


def test_a_hold_is_nobody_s_without_a_worker_to_probe() -> None:
    held = failed(ONE_PER_SECOND, Failure(HoldKind.UNAVAILABLE, 0, "503", 5.0, NOW), now=NOW)

    assert look(pace=held, claims=()).sending.state is SendingState.STOPPED
