"""What do a day and a half of sending come to, with crashes, a storm and an outage, on a clock
that costs no time?
"""

import pytest

from benchmarks.drain import Drain

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

ORDERS = 130_000


@pytest.mark.parametrize("shards", [1, 4])
def test_a_drain_over_bad_days_loses_nothing_and_wastes_next_to_nothing(shards: int) -> None:
    result = Drain(ORDERS, shards).run()

    assert result.is_good, result
