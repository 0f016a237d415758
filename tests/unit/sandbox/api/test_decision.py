from typing import Any

import pytest

from orders.rate import NO_LIMIT, Rate
from sandbox.api.decision import Drip, Hang, Plan, Reply, Reset, ThrottledApi
from sandbox.api.faults import Fault, FaultKind
from sandbox.api.gap import GapRule
from sandbox.api.taken_requests import TakenRequests


def api_with(rate: Rate = NO_LIMIT, *faults: Fault) -> ThrottledApi:
    made = ThrottledApi(GapRule(rate))
    for fault in faults:
        made.faults.add(fault, now=0.0)
    return made


def status_of(plan: Plan) -> int:
    assert isinstance(plan, Reply | Drip)
    return plan.response.status


def test_a_put_of_an_order_is_accepted() -> None:
    plan = api_with().decide("PUT", "/orders/A-1", 5.0)

    assert isinstance(plan, Reply)
    assert plan.due_at == 5.0
    assert plan.response.status == 200
    assert plan.response.body == b'{"status":"accepted","order_id":"A-1"}'


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("PUT", "/", 404), ("PUT", "/orders/", 404), ("POST", "/orders/A", 405)],
)
def test_what_is_no_put_of_an_order_is_refused(method: str, target: str, status: int) -> None:
    assert status_of(api_with().decide(method, target, 0.0)) == status


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/shops/S-1/orders", 200),
        ("PUT", "/shops/S-1/orders", 405),
        ("POST", "/orders/A", 404),
    ],
)
def test_another_method_and_path_are_taken_where_it_was_told(
    method: str, target: str, status: int
) -> None:
    api = ThrottledApi(GapRule(NO_LIMIT), TakenRequests("POST", "/shops/{customer_id}/orders"))

    assert status_of(api.decide(method, target, 0.0)) == status


def test_a_request_too_early_is_answered_429_without_retry_after() -> None:
    api = api_with(Rate(1.0))
    api.decide("PUT", "/orders/A", 10.0)

    plan = api.decide("PUT", "/orders/B", 10.5)

    assert isinstance(plan, Reply)
    assert plan.response.status == 429
    assert plan.response.headers == ()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.STATUS, status=503, for_requests=1),
        Fault(kind=FaultKind.HANG, for_requests=1),
        Fault(kind=FaultKind.RESET, for_requests=1),
        Fault(kind=FaultKind.SLOW, latency_seconds=9.0, for_requests=1),
        Fault(kind=FaultKind.DRIP, latency_seconds=1.0, for_requests=1),
    ],
)
def test_a_faulted_request_counts_for_the_rate(fault: Fault) -> None:
    api = api_with(Rate(1.0), fault)
    api.decide("PUT", "/orders/A", 10.0)

    assert status_of(api.decide("PUT", "/orders/B", 10.5)) == 429
    assert status_of(api.decide("PUT", "/orders/C", 11.0)) == 200


def test_a_429_that_was_asked_for_does_not_count_for_the_rate() -> None:
    api = api_with(Rate(1.0), Fault(kind=FaultKind.STATUS, status=429, for_requests=1))
    api.decide("PUT", "/orders/A", 10.0)

    assert status_of(api.decide("PUT", "/orders/B", 10.1)) == 200


def test_a_status_fault_tells_retry_after_only_when_told() -> None:
    told = Fault(kind=FaultKind.STATUS, status=503, retry_after="7", for_requests=1)
    untold = Fault(kind=FaultKind.STATUS, status=503)
    api = api_with(NO_LIMIT, told, untold)

    first, second = (api.decide("PUT", "/orders/A", 0.0) for _ in range(2))

    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert first.response.headers == ("Retry-After: 7",)
    assert second.response.headers == ()


def test_a_redirect_names_a_place_where_following_it_would_show() -> None:
    plan = api_with(NO_LIMIT, Fault(kind=FaultKind.STATUS, status=307)).decide(
        "PUT", "/orders/A", 0.0
    )

    assert isinstance(plan, Reply)
    assert plan.response.headers == ("Location: /redirected",)


def test_slow_answers_as_usual_later() -> None:
    api = api_with(Rate(1.0), Fault(kind=FaultKind.SLOW, latency_seconds=3.0))

    first = api.decide("PUT", "/orders/A", 10.0)
    early = api.decide("PUT", "/orders/B", 10.2)

    assert isinstance(first, Reply)
    assert isinstance(early, Reply)
    assert (first.response.status, first.due_at) == (200, 13.0)
    assert (early.response.status, early.due_at) == (429, 13.2)


def test_hang_reset_and_drip_are_plans_of_their_own() -> None:
    def plan(**fault: Any) -> Plan:  # noqa: ANN401 - the fields of a fault
        return api_with(NO_LIMIT, Fault(**fault)).decide("PUT", "/orders/A", 1.0)

    assert plan(kind=FaultKind.HANG) == Hang()
    assert plan(kind=FaultKind.RESET) == Reset(1.0)
    drip = plan(kind=FaultKind.DRIP, latency_seconds=0.5)
    assert isinstance(drip, Drip)
    assert drip.pause_seconds == 0.5
