from datetime import UTC, datetime, timedelta

import pytest

from orders_cli.command_options import until_option
from orders_cli.failures import UsageWrong

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOON + timedelta(minutes=90)),
        ("2h", NOON + timedelta(hours=2)),
        ("3d", NOON + timedelta(days=3)),
        ("18:00", datetime(2026, 3, 1, 18, tzinfo=UTC)),
        ("6:15", datetime(2026, 3, 2, 6, 15, tzinfo=UTC)),
        ("2026-12-24T18:00", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24T18:00+02:00", datetime(2026, 12, 24, 16, tzinfo=UTC)),
    ],
)
def test_until_is_a_length_of_time_a_time_of_day_or_a_date_time(
    text: str, expected: datetime
) -> None:
    assert until_option(text, now=NOON) == expected.timestamp()


def test_a_time_of_day_that_has_passed_is_tomorrow_s() -> None:
    assert until_option("12:00", now=NOON) == datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2h30m", "-1h"])
def test_anything_else_is_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(UsageWrong, match="a time of day"):
        until_option(text, now=NOON)


@pytest.mark.parametrize("text", ["2026-03-01T11:00", "2026-03-01T12:00:30", "0m", "0d"])
def test_a_moment_that_is_not_in_the_future_is_refused(text: str) -> None:
    with pytest.raises(UsageWrong, match="not in the future"):
        until_option(text, now=NOON)
