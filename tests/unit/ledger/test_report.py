"""The report: what is left, when it will be done, what stands in the way."""

from dataclasses import replace

import pytest

from ledger.ports.history import Sample
from ledger.ports.lanes import Lane, LaneKey, LaneNumber, Tally
from ledger.ports.pace import Bar, Failure, HoldKind, Override, Pace, Pause
from ledger.ports.pace_steps import bar, configure, failed, override, pause
from ledger.ports.uploads import Account, Progress, Source, Upload, UploadState
from ledger.report import LedgerView, PaceSource, Sending, SendingState, StatusReport, report
from orders.upload import UploadId

NOW = 1_000_000.0
ONE_PER_SECOND = configure(Pace(), "1/s", now=0.0)


def account(
    *, enqueued: int, tally: Tally, age: float = 100.0, state: UploadState = UploadState.SENDING
) -> Account:
    upload = Upload(
        id=UploadId("0" * 20),
        source=Source("bucket", "uploads/a.jsonl", "v1", "etag", 10),
        state=state,
        created_at=NOW - age,
        updated_at=NOW,
        progress=Progress(enqueued=enqueued),
    )
    return Account(upload, (Lane(LaneKey(upload.id, LaneNumber(0)), tally=tally),))


def look(
    *accounts: Account,
    pace: Pace = ONE_PER_SECOND,
    ended: Tally | None = None,
    samples: tuple[Sample, ...] = (),
    now: float = NOW,
) -> StatusReport:
    view = LedgerView(accounts, ended or Tally(), pace, samples)
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


def test_a_pace_long_below_the_target_gives_the_estimate() -> None:
    slow = tuple(Sample(NOW - 400 + t, t // 2, 5_000) for t in range(0, 400, 10))

    status = look(account(enqueued=1_200, tally=Tally(accepted=200)), samples=slow)

    assert status.pace.achieved_per_second == pytest.approx(0.5)
    assert status.estimate.seconds == pytest.approx(2_000)


def test_a_pace_below_the_target_for_a_minute_does_not() -> None:
    slow = tuple(Sample(NOW - 60 + t, t // 2, 5_000) for t in range(0, 60, 10))

    status = look(account(enqueued=1_030, tally=Tally(accepted=30)), samples=slow)

    assert status.estimate.seconds == 1_000


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


def test_without_a_rate_sending_is_barred_and_the_reason_says_what_to_do() -> None:
    status = look(account(enqueued=5, tally=Tally()), pace=Pace())

    assert status.sending.state is SendingState.BARRED
    assert "ORDERS_RATE" in status.sending.reason
    assert status.estimate.seconds is None
    assert status.pace.source is PaceSource.UNSET


def test_a_pause_with_an_end_is_added_to_the_estimate() -> None:
    pace = pause(ONE_PER_SECOND, Pause("ann", "stocktaking", since=NOW, until=NOW + 600))

    status = look(account(enqueued=5, tally=Tally()), pace=pace)

    assert status.sending.state is SendingState.PAUSED
    assert "ann" in status.sending.reason
    assert status.estimate.seconds == 605


def test_a_pause_without_an_end_has_no_estimate() -> None:
    pace = pause(ONE_PER_SECOND, Pause("ann", "stocktaking", since=NOW, until=None))

    assert look(account(enqueued=5, tally=Tally()), pace=pace).estimate.seconds is None


def test_a_bar_comes_before_all_else() -> None:
    paused = pause(ONE_PER_SECOND, Pause("ann", "stocktaking", since=NOW, until=None))
    barred = bar(paused, "refusals", Bar("refusal budget spent", "30 of 100 refused", since=NOW))

    status = look(account(enqueued=5, tally=Tally()), pace=barred)

    assert status.sending.state is SendingState.BARRED
    assert "30 of 100" in status.sending.reason


def test_a_short_hold_is_added_to_the_estimate_and_a_long_one_has_none() -> None:
    held = failed(ONE_PER_SECOND, Failure(HoldKind.UNAVAILABLE, 0, "503", 5.0, NOW), now=NOW)
    waiting = account(enqueued=5, tally=Tally())

    assert look(waiting, pace=held).sending.state is SendingState.HELD
    assert look(waiting, pace=held).estimate.seconds == 10
    assert look(waiting, pace=held, now=NOW + 61).estimate.seconds is None


def test_without_the_right_credential_sending_is_barred_because_a_person_must_act() -> None:
    refused = failed(ONE_PER_SECOND, Failure(HoldKind.UNAUTHORIZED, 0, "401", 0.0, NOW), now=NOW)

    status = look(account(enqueued=5, tally=Tally()), pace=refused)

    assert status.sending == Sending(SendingState.BARRED, "unauthorized: 401", "unauthorized")
    assert status.estimate.seconds is None


def test_cancelled_orders_are_waiting_but_take_no_turns() -> None:
    status = look(account(enqueued=500, tally=Tally(), state=UploadState.CANCELLED))

    assert status.backlog.waiting == 500
    assert status.estimate.seconds == 0
