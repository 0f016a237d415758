"""Do the processes of one machine keep their distance from each other's starts?"""

import pytest

from consumer.delivery.latency import Delays
from consumer.delivery.starts import (
    LEAD_SECONDS,
    START_POLL_SECONDS,
    UNSENT_SECONDS,
    Starts,
)
from ledger.pace.pace import GAP_SHARE, GAP_SLACK

NOW = 1_000.0


def planned(
    starts: Starts, spacing: float, usual_seconds: float, now: float, *, turn: float = 0.0
) -> tuple[float, bool]:
    """When the next attempt of a turn starts, asked now, and whether that is a plan."""
    return starts.plan(spacing, usual_seconds, earliest=max(turn, now), now=now)


def test_the_next_start_keeps_its_distance_from_the_last_one_however_late_that_was() -> None:
    starts = Starts()
    assert planned(starts, 1.0, 0.0, NOW + 0.3) == (NOW + 0.3, True)
    starts.sent(0.0, 0.0)

    due = NOW + 0.3 + GAP_SHARE
    assert planned(starts, 1.0, 0.0, NOW + 1.0) == (due, False)
    assert planned(starts, 1.0, 0.0, due - LEAD_SECONDS / 2) == (due, True)


def test_a_start_is_planned_a_moment_before_its_turn_and_no_sooner() -> None:
    starts = Starts()

    assert planned(starts, 1.0, 0.0, NOW - 2 * LEAD_SECONDS, turn=NOW) == (NOW, False)
    assert planned(starts, 1.0, 0.0, NOW - LEAD_SECONDS / 2, turn=NOW) == (NOW, True)


def test_a_request_that_was_sent_later_than_usual_moves_the_next_start() -> None:
    starts = Starts()
    planned(starts, 1.0, 0.01, NOW)
    starts.sent(0.0, 0.06)

    at, _ = planned(starts, 1.0, 0.01, NOW + GAP_SHARE)
    assert at == pytest.approx(NOW + GAP_SHARE + 0.05)


def test_a_request_that_began_to_leave_late_moves_the_next_start_whatever_is_usual() -> None:
    starts = Starts()
    planned(starts, 1.0, 0.2, NOW)
    starts.sent(0.03, 0.2)

    at, _ = planned(starts, 1.0, 0.2, NOW + GAP_SHARE)
    assert at == pytest.approx(NOW + GAP_SHARE + 0.03)


def test_a_delay_that_is_usual_moves_nothing() -> None:
    starts = Starts()
    planned(starts, 1.0, 0.2, NOW)
    starts.sent(0.0, 0.2)

    assert planned(starts, 1.0, 0.2, NOW + GAP_SHARE) == (NOW + GAP_SHARE, True)


def test_nothing_starts_while_the_last_request_is_overdue_but_not_for_long() -> None:
    starts = Starts()
    planned(starts, 0.02, 0.001, NOW)

    at, is_planned = planned(starts, 0.02, 0.001, NOW + 0.03)

    assert not is_planned
    assert at - LEAD_SECONDS == pytest.approx(NOW + 0.03 + START_POLL_SECONDS)
    assert planned(starts, 0.02, 0.001, NOW + 0.02 + UNSENT_SECONDS)[1]


def test_after_a_change_of_the_rate_the_shorter_interval_holds() -> None:
    starts = Starts()
    planned(starts, 1.0, 0.0, NOW)
    starts.sent(0.0, 0.0)

    assert planned(starts, 0.1, 0.0, NOW + 0.1) == (NOW + 0.1, True)


def test_a_start_in_the_future_is_left_over_from_before_a_reboot() -> None:
    clock = [NOW]
    starts = Starts("here", lambda: clock[0])
    planned(starts, 1.0, 0.0, NOW)

    clock[0] = 5.0

    assert planned(starts, 1.0, 0.0, NOW) == (NOW, True)


def test_a_clock_that_is_set_brings_no_two_starts_closer() -> None:
    clock = [NOW]
    starts = Starts("here", lambda: clock[0])
    planned(starts, 1.0, 0.0, 5_000.0)
    starts.sent(0.0, 0.0)

    clock[0] += 0.4

    at, _ = planned(starts, 1.0, 0.0, 9_000.0)
    assert at == pytest.approx(9_000.0 + GAP_SHARE - 0.4)


def test_what_half_of_the_requests_take_is_usual_and_one_that_is_late_is_not() -> None:
    delays = Delays()
    for seconds in (0.2, 0.21, 0.19, 0.2, 0.9):
        delays.add(seconds)

    assert 0.19 <= delays.usual(1.0) <= 0.2


def test_where_requests_are_sent_at_once_only_the_slack_of_the_interval_is_usual() -> None:
    delays = Delays()
    for seconds in (0.001, 0.002, *[0.009] * (Delays.LENGTH - 2)):
        delays.add(seconds)

    assert delays.usual(0.2) == pytest.approx(0.001 + GAP_SLACK * 0.2)
    assert delays.usual(0.02) == 0.009


def test_the_first_request_of_a_process_is_late_whatever_it_takes() -> None:
    delays = Delays()

    delays.add(0.005)

    for spacing in (0.02, 0.2):
        assert delays.usual(spacing) == pytest.approx(GAP_SLACK * spacing)
