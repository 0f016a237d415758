import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rate import HIGHEST_PER_SECOND, LOWEST_PER_SECOND, NO_LIMIT, Rate, RateError, parse_rate


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("1/s", 1.0), ("0.5/s", 0.5), ("30/m", 0.5), ("1/h", 1 / 3600), (" 2000/s ", 2000.0)],
)
def test_a_rate_is_starts_per_second_minute_or_hour(text: str, per_second: float) -> None:
    assert parse_rate(text) == Rate(per_second)


def test_none_is_a_rate_without_limit_and_without_interval() -> None:
    assert parse_rate("none") == NO_LIMIT
    assert NO_LIMIT.interval_seconds == 0
    assert str(NO_LIMIT) == "none"


def test_the_interval_is_the_time_between_two_starts() -> None:
    assert parse_rate("4/s").interval_seconds == 0.25


@pytest.mark.parametrize("text", ["", "1", "1/d", "-1/s", "1e2/s", "1 /s", "nan/s", ".5/s", "1/S"])
def test_any_other_text_is_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(RateError, match=r"N\[\.N\]/s, N\[\.N\]/m, N\[\.N\]/h or none"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["0/s", "0.9/h", "2000.1/s", "999999999/s"])
def test_a_rate_out_of_bounds_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(RateError, match="the minimum is 1/h, the maximum 2000/s"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("60/m", "1/s"), ("1/m", "1/m"), ("100/h", "100/h"), ("1.50/s", "1.5/s")],
)
def test_a_rate_is_written_in_the_first_exact_unit(text: str, canonical: str) -> None:
    assert str(parse_rate(text)) == canonical


@given(st.floats(LOWEST_PER_SECOND, HIGHEST_PER_SECOND))
def test_the_text_of_any_rate_parses_to_that_rate(per_second: float) -> None:
    assert parse_rate(str(Rate(per_second))) == Rate(per_second)
