"""Do the processes of one machine keep their distance from each other's starts?"""

import pytest

from consumer.delivery.starts import POLL_SECONDS, UNSENT_SECONDS, Delays, ProcessStarts
from ledger.ports.pace import GAP_SHARE, GAP_SLACK

NOW = 1_000.0


def test_the_next_start_keeps_its_distance_from_the_last_one_however_late_that_was() -> None:
    starts = ProcessStarts()
    assert starts.start(1.0, 0.0, NOW + 0.3) is None
    starts.sent(NOW + 0.3)

    assert starts.start(1.0, 0.0, NOW + 1.0) == pytest.approx(NOW + 0.3 + GAP_SHARE)
    assert starts.start(1.0, 0.0, NOW + 0.3 + GAP_SHARE) is None


def test_a_request_that_was_sent_later_than_usual_moves_the_next_start() -> None:
    starts = ProcessStarts()
    starts.start(1.0, 0.01, NOW)
    starts.sent(NOW + 0.06)

    assert starts.start(1.0, 0.01, NOW + GAP_SHARE) == pytest.approx(NOW + GAP_SHARE + 0.05)


def test_a_delay_that_is_usual_moves_nothing() -> None:
    starts = ProcessStarts()
    starts.start(1.0, 0.2, NOW)
    starts.sent(NOW + 0.2)

    assert starts.start(1.0, 0.2, NOW + GAP_SHARE) is None


def test_nothing_starts_while_the_last_request_is_overdue_but_not_for_long() -> None:
    starts = ProcessStarts()
    starts.start(0.02, 0.001, NOW)

    soon = starts.start(0.02, 0.001, NOW + 0.03)

    assert soon == pytest.approx(NOW + 0.03 + POLL_SECONDS)
    assert starts.start(0.02, 0.001, NOW + 0.02 + UNSENT_SECONDS) is None


def test_after_a_change_of_the_rate_the_shorter_interval_holds() -> None:
    starts = ProcessStarts()
    starts.start(1.0, 0.0, NOW)
    starts.sent(NOW)

    assert starts.start(0.1, 0.0, NOW + 0.1) is None


def test_a_start_in_the_future_is_left_over_from_before_a_reboot() -> None:
    clock = [NOW]
    starts = ProcessStarts("here", lambda: clock[0])
    starts.start(1.0, 0.0, NOW)

    clock[0] = 5.0

    assert starts.start(1.0, 0.0, NOW) is None


def test_a_clock_that_is_set_brings_no_two_starts_closer() -> None:
    clock = [NOW]
    starts = ProcessStarts("here", lambda: clock[0])
    starts.start(1.0, 0.0, 5_000.0)
    starts.sent(5_000.0)

    clock[0] += 0.4

    assert starts.start(1.0, 0.0, 9_000.0) == pytest.approx(9_000.0 + GAP_SHARE - 0.4)


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

    assert delays.usual(0.2) == pytest.approx(GAP_SLACK * 0.2)
