"""Batches on the wire: what the sandbox's API receives, and what its answers come to."""

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from requests.auth import AuthBase

from consumer.adapters.answer_table import AnswerTable, parse_statuses
from consumer.adapters.api_shape import ApiShape
from consumer.adapters.batch_answer import ResultNames, parse_result_names
from consumer.adapters.batch_body import BatchFormat, batch_body
from consumer.adapters.batch_shape import BatchShape
from consumer.adapters.http_api import HttpApi
from consumer.adapters.sign_in import BearerSignIn
from consumer.delivery.attempts import (
    Accepted,
    Answered,
    Attempt,
    BatchRequest,
    OrderRequest,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from sandbox.api.server import api_in_threads
from sandbox.api.taken_requests import TakenRequests
from tests.e2e.scripted_api import ScriptedApi, always

BY_ID = parse_result_names("data.results:id,status")
BY_PLACE = parse_result_names(":code")
REFUSED = {"kind": "status", "status": 422, "order_id": "B"}


def batch_of(*order_ids: str) -> BatchRequest:
    """Orders with these ids on the lines from 1."""
    orders = [
        OrderRequest("a" * 20, line, one, b'{"order_id": "%b"}' % one.encode(), f"key-{line}")
        for line, one in enumerate(order_ids, 1)
    ]
    return BatchRequest(tuple(orders), "key-of-all")


@dataclass
class Shop:
    """The sandbox's API, which takes batches."""

    address: str
    shape: ApiShape

    def send(self, batch: BatchRequest) -> Attempt:
        return sent(f"{self.address}/batch", self.shape, batch)

    def break_orders(self, *faults: dict[str, object]) -> None:
        for fault in faults:
            self._ask("faults", json.dumps(fault).encode())

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._ask("requests").splitlines()]

    def _ask(self, path: str, content: bytes | None = None) -> bytes:
        url = f"{self.address}/_sandbox/{path}"
        with urllib.request.urlopen(url, content, timeout=5) as answer:  # noqa: S310 - the sandbox's own address
            return bytes(answer.read())


def sent(url: str, shape: ApiShape, batch: BatchRequest) -> Attempt:
    api = HttpApi(url, attempt_seconds=5.0, shape=shape)
    try:
        return api.send(batch)
    finally:
        api.close()


@contextmanager
def shop(
    results: ResultNames | None = None, form: BatchFormat = BatchFormat.ARRAY
) -> Iterator[Shop]:
    with api_in_threads(takes=TakenRequests("PUT", "/batch", results=results)) as address:
        yield Shop(address, ApiShape(batch=BatchShape(form, results)))


@pytest.mark.parametrize("form", BatchFormat)
def test_a_batch_is_one_request_with_all_its_orders_and_one_key(form: BatchFormat) -> None:
    batch = batch_of("A", "B", "C")
    with shop(form=form) as api:
        attempt = api.send(batch)
        [entry] = api.log()

    body = batch_body([order.body for order in batch.orders], form)
    assert attempt == Accepted(200)
    assert (entry["method"], entry["path"], entry["status"]) == ("PUT", "/batch", 200)
    assert (entry["order_id"], entry["order_ids"]) == (None, ["A", "B", "C"])
    assert entry["idempotency_key"] == "key-of-all"
    assert entry["body_sha256"] == hashlib.sha256(body).hexdigest()


def test_with_one_status_for_all_a_bad_order_has_the_whole_batch_refused() -> None:
    with shop() as api:
        api.break_orders(REFUSED)
        refused, accepted = api.send(batch_of("A", "B")), api.send(batch_of("A", "C"))

    assert isinstance(refused, Refused)
    assert refused.status == 422
    assert accepted == Accepted(200)


@pytest.mark.parametrize("results", [BY_ID, BY_PLACE])
def test_an_answer_for_each_order_says_which_one_is_bad(results: ResultNames) -> None:
    with shop(results) as api:
        api.break_orders(REFUSED, {"kind": "status", "status": 503, "order_id": "C"})
        attempt = api.send(batch_of("A", "B", "C"))

    assert isinstance(attempt, Answered)
    first, second, third = attempt.results
    assert first == Accepted(200)
    assert isinstance(second, Refused)
    assert second.reason == "the API answered 422 Unprocessable Entity"
    assert isinstance(third, Unavailable)
    assert (third.status, third.may_have_arrived) == (503, True)


def test_a_batch_of_one_order_is_answered_like_any_other() -> None:
    with shop(BY_ID, BatchFormat.NDJSON) as api:
        attempt = api.send(batch_of("A"))

    assert attempt == Answered((Accepted(200),))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "reset", "order_id": "B"}, Unavailable),
        ({"kind": "status", "status": 429, "retry_after": "7"}, Throttled),
        ({"kind": "status", "status": 401}, Unauthorized),
        ({"kind": "status", "status": 503}, Unavailable),
    ],
)
def test_what_is_no_answer_for_each_order_is_one_for_all(
    fault: dict[str, object], expected: type[Attempt]
) -> None:
    with shop(BY_ID) as api:
        api.break_orders(fault)
        attempt = api.send(batch_of("A", "B"))

    assert type(attempt) is expected


def test_a_207_that_no_setting_explains_accepts_nothing() -> None:
    answer = b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 2\r\n\r\n[]"
    with ScriptedApi([always(answer)]).serving() as server:
        attempt = sent(f"http://127.0.0.1:{server.port}/", ApiShape(), batch_of("A", "B"))

    assert isinstance(attempt, Unavailable)
    assert "ORDERS_BATCH_RESULTS does not say where they stand" in attempt.reason


def test_statuses_of_single_orders_follow_the_setting_too() -> None:
    body = b'[{"code": 422}, {"code": 418}]'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    shape = ApiShape(
        answers=AnswerTable(parse_statuses("418=accepted")),
        batch=BatchShape(results=BY_PLACE),
    )
    with ScriptedApi([always(answer)]).serving() as server:
        attempt = sent(f"http://127.0.0.1:{server.port}/", shape, batch_of("A", "B"))

    assert isinstance(attempt, Answered)
    assert isinstance(attempt.results[0], Refused)
    assert attempt.results[1] == Accepted(418)


def test_the_wait_that_an_answer_asks_for_holds_for_the_orders_in_it() -> None:
    body = b'[{"code": 429}, {"code": 503}]'
    head = b"HTTP/1.1 207 Multi-Status\r\nRetry-After: 40\r\nContent-Length: %d\r\n\r\n" % len(body)
    with ScriptedApi([always(head + body)]).serving() as server:
        shape = ApiShape(batch=BatchShape(results=BY_PLACE))
        attempt = sent(f"http://127.0.0.1:{server.port}/", shape, batch_of("A", "B"))

    assert isinstance(attempt, Answered)
    first, second = attempt.results
    assert isinstance(first, Throttled)
    assert first.wait_seconds == 40.0
    assert isinstance(second, Unavailable)
    assert second.wait_seconds == 40.0


def test_a_credential_that_is_refused_for_single_orders_is_read_again() -> None:
    body = b'[{"code": 401}]'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    sign_in = CountingSignIn()
    with ScriptedApi([always(answer)]).serving() as server:
        api = HttpApi(
            f"http://127.0.0.1:{server.port}/",
            attempt_seconds=5.0,
            shape=ApiShape(batch=BatchShape(results=BY_PLACE)),
            sign_in=sign_in,
        )
        attempt = api.send(batch_of("A"))
        api.close()

    assert isinstance(attempt, Answered)
    assert isinstance(attempt.results[0], Unauthorized)
    assert sign_in.refusals == 1


class CountingSignIn(BearerSignIn):
    """Counts how often its credential was refused."""

    refusals = 0

    def refused(self, auth: AuthBase) -> None:
        self.refusals += 1
        super().refused(auth)
