import pytest

from orders.rate import Rate, parse_rate
from sandbox.api.gap import GapRule


@pytest.mark.parametrize(
    ("rate", "gap_seconds"),
    [("1/s", 0.98), ("10/s", 0.098), ("5/s", 0.196), ("1/m", 59.98), ("100/s", 0.0098)],
)
def test_the_gap_is_the_interval_less_the_smaller_of_20_ms_and_2_percent(
    rate: str, gap_seconds: float
) -> None:
    assert GapRule(parse_rate(rate)).minimum_gap_seconds == pytest.approx(gap_seconds)


def test_the_first_request_is_admitted_at_any_time() -> None:
    assert GapRule(Rate(1.0)).admits(0.0)


def test_a_request_before_the_gap_is_over_is_not_admitted() -> None:
    gap = GapRule(Rate(1.0))

    gap.count(100.0)

    assert not gap.admits(100.979)
    assert gap.admits(100.981)


def test_a_refused_request_does_not_move_the_gap() -> None:
    gap = GapRule(Rate(1.0))
    gap.count(100.0)

    for early in (100.3, 100.6, 100.9):
        assert not gap.admits(early)

    assert gap.admits(101.0)


def test_a_request_that_was_decided_late_does_not_move_the_gap_back() -> None:
    gap = GapRule(Rate(1.0))
    gap.count(100.0)

    gap.count(99.5)

    assert not gap.admits(100.5)
    assert gap.admits(101.0)


def test_a_request_that_was_decided_late_keeps_the_gap_to_the_one_it_came_before() -> None:
    gap = GapRule(Rate(1.0))
    gap.count(100.0)

    assert gap.admits(99.0)
    assert not gap.admits(99.5)


def test_without_a_rate_every_request_is_admitted() -> None:
    gap = GapRule(parse_rate("none"))

    gap.count(100.0)

    assert gap.admits(100.0)
    assert gap.admits(99.9)


def test_a_new_rate_holds_from_the_last_counted_request() -> None:
    gap = GapRule(Rate(1.0))
    gap.count(100.0)

    gap.rate = Rate(2.0)

    assert gap.admits(100.5)


def test_a_request_that_was_decided_late_keeps_the_gap_to_those_on_both_sides() -> None:
    gap = GapRule(Rate(1.0))
    gap.count(100.0)
    gap.count(102.5)

    assert not gap.admits(100.5)
    assert not gap.admits(102.0)
    assert gap.admits(101.25)
