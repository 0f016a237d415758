"""Requests of another shape, and answers with another meaning, against a real server."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consumer.adapters.answer_table import AnswerTable, parse_statuses
from consumer.adapters.api_shape import ApiShape
from consumer.adapters.body_template import parse_body_template
from consumer.adapters.http_api import HttpApi
from consumer.delivery.attempts import (
    Accepted,
    Answered,
    Attempt,
    Conflict,
    OrderRequest,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from sandbox.api.server import api_in_threads
from sandbox.api.taken_requests import TakenRequests
from tests.e2e.scripted_api import OK, Received, ScriptedApi, always
from tests.support.outgoing import outgoing

BODY = b'{"order_id": "A-1", "customer_id": "C 1"}'
SHAPED = ApiShape(
    method="POST",
    headers={"X-Shop": "12", "accept": "application/vnd.shop+json; version=2"},
    idempotency_header="X-Request-Id",
    content_type="application/vnd.shop+json",
    body=parse_body_template(
        '{"from": "{upload}:{line}", "order": {body}}', content_type="application/vnd.shop+json"
    ),
)


def sent(url: str, shape: ApiShape, order: OrderRequest) -> Attempt:
    api = HttpApi(url, attempt_seconds=5.0, shape=shape)
    try:
        return api.send(order)
    finally:
        api.close()


def received_of(shape: ApiShape, path: str) -> Received:
    with ScriptedApi([always(OK)]).serving() as api:
        attempt = sent(f"http://127.0.0.1:{api.port}{path}", shape, outgoing("A-1", BODY))
    assert attempt == Accepted(200)
    [received] = api.requests
    return received


@contextmanager
def shop(takes: TakenRequests) -> Iterator[str]:
    with api_in_threads(takes=takes) as address:
        yield address


def log_of(address: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{address}/_sandbox/requests", timeout=5) as answer:  # noqa: S310 - the sandbox's own address
        return [json.loads(line) for line in answer.read().splitlines()]


def test_a_request_has_the_shape_that_was_set() -> None:
    received = received_of(SHAPED, "/v2/{upload}/orders")

    body = b'{"from": "%b:1", "order": %b}' % (b"a" * 20, BODY)
    assert received.line == f"POST /v2/{'a' * 20}/orders HTTP/1.1"
    assert received.body == body
    assert {
        name: value for name, value in received.fields.items() if name not in {"host", "user-agent"}
    } == {
        "accept": "application/vnd.shop+json; version=2",
        "accept-encoding": "identity",
        "content-length": str(len(body)),
        "content-type": "application/vnd.shop+json",
        "x-request-id": "key-1",
        "x-shop": "12",
    }


def test_without_a_header_for_it_no_key_is_sent() -> None:
    received = received_of(ApiShape(idempotency_header=None), "/orders/{order_id}")

    assert not [name for name in received.fields if "key" in name]


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH"])
def test_each_method_arrives_at_an_api_that_takes_it_and_no_other(method: str) -> None:
    path = "/c/{customer_id}/o/{order_id}"
    with shop(TakenRequests(method, path)) as address:
        attempts = [
            sent(f"{address}{path}", ApiShape(method=each), outgoing("A/1", BODY))
            for each in ("PUT", "POST", "PATCH")
        ]
        log = log_of(address)

    accepted = [attempt for attempt in attempts if attempt == Accepted(200)]
    assert len(accepted) == 1
    assert [entry["method"] for entry in log if entry["status"] == 200] == [method]
    assert {entry["path"] for entry in log} == {"/c/C%201/o/A%2F1"}
    assert {entry["order_id"] for entry in log} == {"A/1"}


def test_orders_posted_to_one_address_are_told_apart_by_their_bodies() -> None:
    with shop(TakenRequests("POST", "/orders", "X-Request-Id")) as address:
        attempt = sent(f"{address}/orders", SHAPED, outgoing("A-1", BODY))
        [entry] = log_of(address)

    assert attempt == Accepted(200)
    assert (entry["order_id"], entry["idempotency_key"]) == ("A-1", "key-1")


def test_an_order_that_has_no_target_is_refused_and_nothing_is_sent() -> None:
    began: list[str] = []
    with ScriptedApi([always(OK)]).serving() as server:
        api = HttpApi(f"http://127.0.0.1:{server.port}/{{customer_id}}", attempt_seconds=5.0)
        attempt = api.send(
            outgoing("A-1", b'{"customer_id": ".."}'), begin=lambda: began.append("")
        )
        api.close()

    assert isinstance(attempt, Refused)
    assert (attempt.status, attempt.answer) == (None, "")
    assert "would change the API's address" in attempt.reason
    assert (server.requests, server.connections, began) == ([], 0, [])


REMAPPED = {
    "200=refused": Refused,
    "202=retry": Unavailable,
    "204=refused": Refused,
    "303=accepted": Accepted,
    "304=accepted": Accepted,
    "302=unauthorized": Unauthorized,
    "404=accepted": Accepted,
    "422=retry": Unavailable,
    "422=conflict": Conflict,
    "412=throttled": Throttled,
    "407=unauthorized": Unauthorized,
    "403=refused": Refused,
    "403=throttled": Throttled,
    "408=throttled": Throttled,
    "409=accepted": Accepted,
    "409=refused": Refused,
    "500=refused": Refused,
    "500=conflict": Conflict,
    "503=throttled": Throttled,
}


@pytest.mark.parametrize(("setting", "expected"), REMAPPED.items())
def test_a_status_comes_to_what_the_setting_says(setting: str, expected: type[Attempt]) -> None:
    status = int(setting[:3])
    answer = f"HTTP/1.1 {status} So\r\nRetry-After: 7\r\nX-RateLimit-Reset: 9\r\n"
    answer += "" if status in {204, 304} else "Content-Length: 0\r\n"
    shape = ApiShape(answers=AnswerTable(parse_statuses(setting)))

    with ScriptedApi([always(f"{answer}\r\n".encode())]).serving() as api:
        attempt = sent(api.url, shape, outgoing())

    assert type(attempt) is expected
    assert not isinstance(attempt, Answered)
    assert attempt.status == status
    if isinstance(attempt, Throttled | Unavailable):
        assert attempt.wait_seconds == 7.0


def test_what_the_last_answer_tells_about_limits_can_be_shown() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-RateLimit-Limit: 60\r\n"
    with ScriptedApi([always(answer + b"X-RateLimit-Remaining: 12\r\n\r\n")]).serving() as server:
        api = HttpApi(server.url, attempt_seconds=5.0)
        before = api.limits_told()
        api.send(outgoing())
        after = api.limits_told()
        api.close()

    assert (before, after) == ("", "60 allowed, 12 left")


def test_a_429_waits_for_the_reset_that_older_fields_name() -> None:
    answer = (
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n"
        b"X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 12\r\n\r\n"
    )
    with ScriptedApi([always(answer)]).serving() as api:
        attempt = sent(api.url, ApiShape(), outgoing())

    assert attempt == Throttled(12.0, "the API answered 429 Too Many Requests")
