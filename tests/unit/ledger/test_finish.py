"""The finish date is right within two per cent once a tenth of a drain is over."""

import itertools
from dataclasses import replace

import pytest

from ledger.evidence import Evidence
from ledger.finish import Basis, Estimate, estimate_finish, expected
from ledger.pace.hold import Failure, HoldKind
from ledger.pace.pace import Override, Pace, Pause
from ledger.pace.steps import carry, configure, failed, override, pause
from ledger.report import StatusReport
from ledger.sending_status import sending_status
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account, UploadState
from tests.unit.ledger.drains import ONE_PER_SECOND, Drain, account

TWENTY_PER_SECOND = configure(Pace(), "20/s", now=0.0)
TWO_PER_SECOND = configure(Pace(), "2/s", now=0.0)


def held(pace: Pace, kind: HoldKind, *, since: float) -> Pace:
    return failed(pace, Failure(kind, pace.generation, "no", 1.0, since), now=since)


def during(since: float, until: float, then: Pace, *, else_: Pace = ONE_PER_SECOND) -> Drain:
    """A drain at 1/s that stands still for a while, with this pace meanwhile."""
    return Drain(
        4_000,
        speed=lambda now: 0.0 if since <= now < until else 1.0,
        pace_at=lambda now: then if since <= now < until else else_,
    )


ANN = Pause("ann", "stocktaking", since=200.0, until=None)
DRAINS = {
    "at the target": Drain(4_000, speed=lambda _: 1.0),
    "at 44 % of the target": Drain(
        40_000, speed=lambda _: 8.8, pace_at=lambda _: TWENTY_PER_SECOND
    ),
    "at 44 %, and short": Drain(6_000, speed=lambda _: 8.8, pace_at=lambda _: TWENTY_PER_SECOND),
    "after an outage": during(200, 290, held(ONE_PER_SECOND, HoldKind.UNAVAILABLE, since=200)),
    "after a pause": during(200, 290, pause(ONE_PER_SECOND, ANN)),
    "after a stall that nobody explains": during(200, 290, ONE_PER_SECOND),
    "at half the target, after an outage": replace(
        during(
            600,
            690,
            held(TWO_PER_SECOND, HoldKind.UNAVAILABLE, since=600),
            else_=TWO_PER_SECOND,
        ),
        orders=8_000,
    ),
    "just after the rate was raised": Drain(
        4_000,
        speed=lambda now: 1.0 if now < 380 else 4.0,
        pace_at=lambda now: ONE_PER_SECOND if now < 380 else configure(Pace(), "4/s", now=380),
    ),
    "after the worker was away": Drain(
        4_000,
        speed=lambda now: 0.0 if 200 <= now < 320 else 1.0,
        is_seen=lambda now: not 200 <= now < 320,
    ),
    "with a slow start": Drain(4_000, speed=lambda now: 0.0 if now < 37 else 1.0),
    "throttled every other second": Drain(
        8_000,
        speed=lambda now: 2.0 if now % 2 else 0.0,
        pace_at=lambda now: (
            TWO_PER_SECOND if now % 2 else held(TWO_PER_SECOND, HoldKind.THROTTLED, since=now)
        ),
    ),
    "with a quota that is spent after half a minute": Drain(
        8_000,
        speed=lambda now: 2.0 if now % 60 < 30 else 0.0,
        pace_at=lambda now: (
            TWO_PER_SECOND
            if now % 60 < 30
            else held(TWO_PER_SECOND, HoldKind.THROTTLED, since=now - now % 60 + 30)
        ),
    ),
    "at one a minute": Drain(
        60, speed=lambda _: 1 / 60, pace_at=lambda _: configure(Pace(), "1/m", now=0.0)
    ),
    "without a limit": Drain(
        40_000, speed=lambda _: 13.0, pace_at=lambda _: configure(Pace(), "none", now=0.0)
    ),
}


@pytest.mark.parametrize("drain", DRAINS.values(), ids=DRAINS)
def test_a_tenth_into_a_drain_its_end_is_known_within_two_per_cent(drain: Drain) -> None:
    seen, end = drain.at(0.1)

    assert seen.estimate.seconds == pytest.approx(end - seen.at, rel=0.02)


def first_minutes(drain: Drain) -> dict[float, StatusReport]:
    return {look.at: look for look in itertools.takewhile(lambda it: it.at < 200, drain.looks())}


def test_what_is_achieved_counts_after_a_minute_and_is_reported_as_such() -> None:
    looks = first_minutes(DRAINS["at 44 % of the target"])

    early, later = looks[20.0].estimate, looks[60.0].estimate

    assert (early.basis, early.per_second) == (Basis.TARGET, 20.0)
    assert later.basis is Basis.ACHIEVED
    assert later.per_second == pytest.approx(8.8, rel=0.02)


def test_a_short_hold_is_no_slower_pace() -> None:
    assert expected(1.0, Evidence(sent=52, seconds=60.0)) == (Basis.TARGET, 1.0)
    assert expected(1.0, Evidence(sent=30, seconds=60.0)) == (Basis.ACHIEVED, 0.5)
    assert expected(1.0, Evidence(sent=570, seconds=600.0)) == (Basis.ACHIEVED, 0.95)


def test_orders_are_counted_whole_so_one_or_two_less_is_no_slower_pace() -> None:
    assert expected(1 / 60, Evidence(sent=13, seconds=900.0)) == (Basis.TARGET, 1 / 60)
    assert expected(1 / 60, Evidence(sent=9, seconds=900.0)) == (Basis.ACHIEVED, 0.01)


def test_a_stall_has_no_end_that_anybody_knows() -> None:
    stalled = Drain(1_000, speed=lambda now: 1.0 if now < 100 or now >= 300 else 0.0)
    looks = first_minutes(stalled)

    estimate = looks[170.0].estimate

    assert looks[140.0].estimate.seconds is not None
    assert estimate.seconds is None
    assert "nothing has been sent" in estimate.reason
    assert "orders doctor" in estimate.reason


def test_the_time_between_two_batches_is_no_stall() -> None:
    every_two_minutes = carry(configure(Pace(), "30/h", now=0.0), 100)
    drain = Drain(
        1_000,
        speed=lambda now: 100.0 if now % 120.0 == 119.0 else 0.0,
        pace_at=lambda _: every_two_minutes,
    )

    estimates = [look.estimate for look in drain.looks() if look.backlog.waiting]

    assert {estimate.reason for estimate in estimates} == {""}
    assert {estimate.basis for estimate in estimates} == {Basis.TARGET}


def test_a_stall_of_batches_is_seen_after_five_of_their_turns() -> None:
    every_minute = carry(configure(Pace(), "1/m", now=0.0), 100)
    drain = Drain(
        2_000,
        speed=lambda now: 100.0 if now % 60.0 == 59.0 and not 300.0 < now < 900.0 else 0.0,
        pace_at=lambda _: every_minute,
    )

    reasons = {look.at: look.estimate.reason for look in drain.looks() if 300.0 < look.at < 900.0}

    stalled = [at for at, reason in reasons.items() if "nothing has been sent" in reason]
    assert stalled
    assert 300.0 + 5 * 60.0 - 30.0 <= min(stalled) <= 300.0 + 5 * 60.0 + 30.0


def test_one_batch_more_or_less_at_either_end_is_no_slower_pace() -> None:
    seen = Evidence(sent=1_300, seconds=900.0)

    assert expected(100 / 60, seen, 100) == (Basis.TARGET, 100 / 60)
    assert expected(100 / 60, seen)[0] is Basis.ACHIEVED


def reckon(*accounts: Account, pace: Pace = ONE_PER_SECOND, now: float = 1_000.0) -> Estimate:
    return estimate_finish(accounts, pace, sending_status(pace, now), Evidence(), now)


def test_what_is_still_to_be_read_is_part_of_the_estimate() -> None:
    reading = account(
        enqueued=200, tally=Tally(accepted=50), state=UploadState.READING, estimate=1_000
    )

    found = reckon(reading)

    assert (found.seconds, found.unread, found.is_lower_bound) == (950, 800, False)


def test_invalid_lines_so_far_are_expected_of_the_rest_too() -> None:
    reading = account(enqueued=200, tally=Tally(), state=UploadState.READING, estimate=1_000)
    progress = replace(reading.upload.progress, invalid=50)
    reading = replace(reading, upload=replace(reading.upload, progress=progress))

    assert reckon(reading).unread == 600


def test_before_a_file_was_examined_the_estimate_is_a_lower_bound() -> None:
    unknown = account(enqueued=0, tally=Tally(), state=UploadState.READING)
    waiting = account(enqueued=300, tally=Tally())

    found = reckon(waiting, unknown)

    assert (found.seconds, found.is_lower_bound) == (300, True)
    assert not reckon(waiting).is_lower_bound


def test_once_it_is_read_the_estimate_at_admission_counts_no_more() -> None:
    assert reckon(account(enqueued=300, tally=Tally(), estimate=1_000)).seconds == 300


def test_after_an_override_ends_the_configured_pace_counts() -> None:
    hurried = override(ONE_PER_SECOND, Override("4/s", "ann", "hurry", until=1_050.0), now=1_000)

    assert reckon(account(enqueued=200, tally=Tally()), pace=hurried).seconds == 50
    assert reckon(account(enqueued=300, tally=Tally()), pace=hurried).seconds == 150


def test_an_override_that_nothing_follows_may_end_too_soon() -> None:
    alone = override(Pace(), Override("4/s", "ann", "hurry", until=1_050.0), now=1_000)

    assert reckon(account(enqueued=200, tally=Tally()), pace=alone).seconds == 50
    assert "no rate is set" in reckon(account(enqueued=201, tally=Tally()), pace=alone).reason


def test_a_turn_carries_as_many_orders_as_a_request_holds() -> None:
    waiting = account(enqueued=3_000, tally=Tally())

    estimate = reckon(waiting, pace=carry(ONE_PER_SECOND, 100))

    assert estimate.seconds == 30.0
    assert estimate.per_second == 100.0
