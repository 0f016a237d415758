"""The extra time between two turns, and how long it lasts."""

from dataclasses import replace

import pytest

from ledger.pace.margin import (
    FEW,
    FEW_TURNS,
    FIRST_SHARE,
    HALF_LIFE_TURNS,
    MANY,
    QUIET_PATH_TURNS,
    SHARE_MAX,
    SLOW_GROWTH,
    SOON_TURNS,
    Margin,
)

NOW = 1_000_000.0


def refused_at(*moments: float, interval: float = 1.0) -> Margin:
    margin = Margin()
    for moment in moments:
        margin = margin.throttled(interval, started_at=moment - 0.1, now=moment)
    return margin


def test_nothing_refused_means_no_margin() -> None:
    assert Margin().at(NOW, 1.0) == 0.0


def test_a_few_429s_among_many_turns_widen_nothing() -> None:
    apart = FEW_TURNS / (FEW - 1) + 1.0
    moments = [NOW + apart * number for number in range(20)]

    assert refused_at(*moments).at(moments[-1], 1.0) == 0.0


def test_429s_soon_after_each_other_widen_the_margin_up_to_a_quarter_of_the_interval() -> None:
    moments = [NOW + 5.0 * number for number in range(20)]

    widths = [refused_at(*moments[: n + 1]).at(moments[n], 1.0) for n in range(20)]

    assert widths[:FEW] == [0.0] * (FEW - 1) + [FIRST_SHARE]
    assert widths[MANY - 1] == pytest.approx(2 * FIRST_SHARE, rel=0.02)
    assert max(widths) == SHARE_MAX


def test_429s_that_are_not_many_bring_the_margin_back_and_do_not_widen_it() -> None:
    moments = [NOW + 100.0 * number for number in range(30)]

    margin = refused_at(*moments)

    assert margin.at(moments[-1], 1.0) == FIRST_SHARE


def test_an_attempt_that_was_in_flight_when_the_last_429_came_widens_nothing() -> None:
    margin = refused_at(NOW, NOW + 2.0, NOW + 5.0)

    late = margin.throttled(1.0, started_at=NOW + 4.9, now=NOW + 7.0)

    assert late == margin


def test_it_halves_in_so_many_turns_and_vanishes() -> None:
    margin = refused_at(NOW, NOW + 2.0, NOW + 5.0)

    half = margin.at(NOW + 5.0 + HALF_LIFE_TURNS, 1.0)

    assert half == pytest.approx(FIRST_SHARE / 2)
    assert margin.at(NOW + 5.0 + 10 * HALF_LIFE_TURNS, 1.0) == 0.0


def test_it_is_no_wider_than_the_answers_vary_where_they_vary_little() -> None:
    margin = refused_at(NOW, NOW + 2.0, NOW + 5.0)
    later = NOW + 5.0 + FEW_TURNS + 1.0

    quiet = margin.narrowed(0.003, 1.0, now=later)

    assert quiet.at(later, 1.0) == 0.003
    assert margin.narrowed(None, 1.0, now=later) == margin
    assert margin.narrowed(0.03, 1.0, now=later) == replace(margin, is_path=True)
    assert margin.narrowed(0.003, 1.0, now=later - 2.0) == margin  # the API may be strict


def test_a_path_that_varied_and_does_so_no_more_is_believed_soon() -> None:
    margin = refused_at(NOW, NOW + 2.0, NOW + 5.0)
    shown = margin.narrowed(0.03, 1.0, now=NOW + 6.0)
    later = NOW + 5.0 + QUIET_PATH_TURNS

    assert shown.narrowed(0.003, 1.0, now=later) == shown
    assert shown.narrowed(0.003, 1.0, now=later + 1.0) == Margin(
        0.003, later + 1.0, shown.refused_at
    )


def test_where_the_answers_vary_one_more_429_soon_after_a_change_widens_the_margin() -> None:
    margin = refused_at(NOW, NOW + 100.0, NOW + 200.0)
    shown = margin.narrowed(0.03, 1.0, now=NOW + 201.0)
    soon, later = NOW + 200.0 + SOON_TURNS, NOW + 201.0 + SOON_TURNS

    def widened(of: Margin, moment: float) -> float:
        return of.throttled(1.0, started_at=moment - 0.1, now=moment).seconds

    assert widened(shown, soon) == SLOW_GROWTH * FIRST_SHARE
    assert widened(shown, later) == widened(margin, soon) == FIRST_SHARE


def test_a_margin_of_a_slow_rate_is_bounded_by_a_fast_ones_interval() -> None:
    margin = refused_at(NOW, NOW + 2.0, NOW + 5.0)

    assert margin.at(NOW + 5.0, 0.02) == SHARE_MAX * 0.02


def test_without_a_limit_there_is_nothing_to_widen() -> None:
    assert refused_at(NOW, NOW + 1.0, NOW + 2.0, interval=0.0) == Margin()


def test_a_change_of_the_rate_carries_no_more_than_the_share_of_the_interval() -> None:
    margin = refused_at(NOW, NOW + 2.0, NOW + 5.0)

    faster = margin.at_other_interval(1.0, 0.1, now=NOW + 5.0)
    slower = margin.at_other_interval(1.0, 60.0, now=NOW + 5.0)

    assert faster.at(NOW + 5.0, 0.1) == pytest.approx(FIRST_SHARE * 0.1)
    assert slower.at(NOW + 5.0, 1.0) == pytest.approx(FIRST_SHARE)
