from dataclasses import replace

import pytest

from ledger.finish import Basis, Estimate
from ledger.pace.history import Sample
from ledger.report import Backlog, PaceReport, PaceSource, StatusReport
from ledger.sending_status import SendingState, SendingStatus
from ledger.uploads.lane import Tally
from orders.rate import NO_LIMIT, parse_rate
from orders_cli.file_estimate import FileContents, estimate_file

MILLION = FileContents(orders=1_000_000, invalid=0, blank=0, stream_bytes=200_000_000)
IDLE = StatusReport(
    at=0.0,
    backlog=Backlog(0, 0.0, None),
    settled=Tally(),
    pace=PaceReport(1.0, None, PaceSource.CONFIGURED),
    estimate=Estimate(0.0),
    sending=SendingStatus(SendingState.RUNNING),
    sample=Sample(0.0, 0, 0),
)


def test_a_million_orders_at_one_a_second_take_eleven_and_a_half_days() -> None:
    found = estimate_file(MILLION, rate=parse_rate("1/s"), report=None, retention_hours=2160)

    assert found.seconds == 1_000_000
    assert found.fits
    assert found.advice == ""


def test_a_file_that_the_stream_would_drop_is_shown_the_retention_it_needs() -> None:
    found = estimate_file(MILLION, rate=parse_rate("1/s"), report=None, retention_hours=168)

    assert not found.fits
    assert found.needed_hours == 309
    assert "RetentionHours=336" in found.advice


def test_a_file_that_no_retention_can_hold_needs_a_faster_pace() -> None:
    found = estimate_file(MILLION, rate=parse_rate("1/m"), report=None, retention_hours=2160)

    assert "raise the pace" in found.advice


def test_what_waits_already_is_sent_first() -> None:
    busy = replace(IDLE, backlog=Backlog(500, 0.0, 1e6), estimate=Estimate(500.0))

    found = estimate_file(replace(MILLION, orders=100), rate=None, report=busy, retention_hours=24)

    assert found.ahead == 500
    assert found.seconds == 600.0


def test_a_pause_that_has_an_end_is_added() -> None:
    reckoned = Estimate(4_100.0, starts_in_seconds=3_600.0)
    paused = replace(IDLE, backlog=Backlog(500, 0.0, 1e6), estimate=reckoned)

    found = estimate_file(
        replace(MILLION, orders=100), rate=None, report=paused, retention_hours=24
    )

    assert found.seconds == 4_200.0


def test_it_reckons_with_what_is_achieved_and_with_what_is_still_read() -> None:
    reckoned = Estimate(1_200.0, basis=Basis.ACHIEVED, per_second=0.5, unread=100)
    slow = replace(IDLE, backlog=Backlog(500, 0.0, 1e6), estimate=reckoned)

    found = estimate_file(replace(MILLION, orders=100), rate=None, report=slow, retention_hours=24)

    assert found.ahead == 600
    assert found.seconds == 1_400.0


def test_without_any_pace_the_time_is_unknown() -> None:
    unset = replace(IDLE, pace=PaceReport(None, None, PaceSource.UNSET))

    found = estimate_file(MILLION, rate=None, report=unset, retention_hours=24)

    assert found.seconds is None
    assert found.reason == "there is no pace; give one with --rate"


def test_without_a_limit_the_time_is_unknown_because_it_depends_on_the_api() -> None:
    limitless = replace(IDLE, pace=PaceReport(None, None, PaceSource.CONFIGURED))

    for found in (
        estimate_file(MILLION, rate=NO_LIMIT, report=None, retention_hours=24),
        estimate_file(MILLION, rate=NO_LIMIT, report=IDLE, retention_hours=24),
        estimate_file(MILLION, rate=None, report=limitless, retention_hours=24),
    ):
        assert found.seconds is None
        assert "how fast the API answers" in found.reason


def test_standing_costs_shrink_with_the_time_and_those_of_orders_stay() -> None:
    slow = estimate_file(MILLION, rate=parse_rate("1/s"), report=None, retention_hours=2160)
    fast = estimate_file(MILLION, rate=parse_rate("10/s"), report=None, retention_hours=2160)

    assert slow.dollars == pytest.approx(sum(cost.dollars for cost in slow.costs))
    assert 5 < slow.dollars < 30
    assert fast.costs[2].dollars == pytest.approx(slow.costs[2].dollars / 10)
    of_orders = 3 * 0.625 + 3 * 0.125  # a million times three writes and three reads
    assert fast.costs[1].dollars - of_orders == pytest.approx(
        (slow.costs[1].dollars - of_orders) / 10
    )
    assert fast.lambda_dollars == pytest.approx(slow.lambda_dollars / 10)
