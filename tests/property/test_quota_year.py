"""A year beside a quota, with two clock changes and kills, at few orders a day.

benchmarks/quota_year.py does the same with 50,000 a day, which is 18 million turns.
"""

import pytest

from benchmarks.quota_year import FORECAST_MOST, SHARE_LEAST, Year


@pytest.mark.parametrize(
    ("quota", "rate", "days"), [("25/d", "1.8/h", 365), ("50/24h", "3.6/h", 100)]
)
def test_a_year_keeps_both_limits_uses_them_and_ends_when_foretold(
    quota: str, rate: str, days: int
) -> None:
    simulated = Year(quota, rate, days, turns_between_kills=500)

    result = simulated.run()

    assert result.kills == result.orders // 500
    assert result.most_in_window == result.quota.count
    assert result.smallest_gap >= 0.99 * result.interval
    assert result.share >= SHARE_LEAST
    assert result.forecast_error <= FORECAST_MOST
