from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from orders.quota import parse_quotas
from orders.rate import NO_LIMIT
from sandbox.api.decision import Reply, ThrottledApi
from sandbox.api.gap import GapRule
from sandbox.api.quota_rule import QuotaRule

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2027, 6, 1, 12, 0, 0, tzinfo=BERLIN).timestamp()


def api(quotas: str) -> ThrottledApi:
    """Its monotonic clock shows 0 at noon."""
    rule = QuotaRule(parse_quotas(quotas), BERLIN, wall_less_monotonic=lambda: NOON)
    return ThrottledApi(GapRule(NO_LIMIT), quota=rule)


def answer(api: ThrottledApi, at: float) -> tuple[int, bytes]:
    plan = api.decide("PUT", "/orders/A", at)
    assert isinstance(plan, Reply)
    return plan.response.status, bytes(plan.response.body)


def test_above_a_quota_of_the_calendar_requests_are_refused_until_the_window_ends() -> None:
    throttled = api("2/m")

    statuses = [answer(throttled, at)[0] for at in (50.0, 55.0, 59.9, 60.0, 61.0, 62.0)]

    assert statuses == [200, 200, 429, 200, 200, 429]
    assert b"the quota of 2/m is used up" in answer(throttled, 63.0)[1]


def test_a_rolling_quota_counts_the_time_just_past() -> None:
    throttled = api("2/60m")

    statuses = [answer(throttled, at)[0] for at in (0.0, 3_000.0, 3_599.0, 3_601.0, 6_000.0)]

    assert statuses == [200, 200, 429, 200, 429]


def test_each_of_several_quotas_holds() -> None:
    throttled = api("2/m,3/h")

    statuses = [answer(throttled, at)[0] for at in (0.0, 1.0, 2.0, 60.0, 61.0, 3_600.0)]

    assert statuses == [200, 200, 429, 200, 429, 200]


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25)])
def test_a_day_of_a_clock_change_is_shorter_or_longer(day: str, hours: int) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=BERLIN).timestamp() - NOON
    throttled = api("1/d")
    assert answer(throttled, midnight)[0] == 200

    last, next_day = midnight + hours * 3_600 - 1, midnight + hours * 3_600

    assert [answer(throttled, at)[0] for at in (last, next_day)] == [429, 200]
