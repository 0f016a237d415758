import hashlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from orders.rate import Rate
from sandbox.api import server
from sandbox.api.server import api_in_threads
from tests.support.eventually import eventually

LIMIT_SECONDS = 5.0


@pytest.fixture
def api() -> Iterator[str]:
    with api_in_threads() as address:
        yield address


@contextmanager
def connected(api: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=LIMIT_SECONDS)
    with closing(connection):
        yield connection


@contextmanager
def raw(api: str) -> Iterator[socket.socket]:
    address = urlsplit(api)
    made = socket.create_connection((address.hostname, address.port), timeout=LIMIT_SECONDS)
    with made:
        yield made


def ask(api: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    with connected(api) as connection:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()


def post(api: str, path: str, **fields: object) -> tuple[int, bytes]:
    return ask(api, "POST", path, json.dumps(fields).encode())


def put(api: str, order_id: str, body: bytes = b"{}") -> int:
    return ask(api, "PUT", f"/orders/{order_id}", body)[0]


def requests(api: str) -> list[dict[str, Any]]:
    status, listing = ask(api, "GET", "/_sandbox/requests")
    assert status == 200
    return [json.loads(line) for line in listing.splitlines()]


def requests_when(api: str, count: int) -> list[dict[str, Any]]:
    return eventually(
        lambda: seen if len(seen := requests(api)) >= count else None, f"{count} logged requests"
    )


def until_closed(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    return received


def test_an_order_is_accepted_and_logged_with_the_bytes_that_arrived(api: str) -> None:
    before = time.monotonic()
    with connected(api) as connection:
        connection.request("PUT", "/orders/%2E%2E", b'{"a": 1}', {"Idempotency-Key": "k1"})
        response = connection.getresponse()
        answer = json.loads(response.read())

    assert (response.status, answer) == (200, {"status": "accepted", "order_id": ".."})
    entry = requests(api)[0]
    assert before <= entry.pop("t") <= time.monotonic()
    assert entry == {
        "method": "PUT",
        "path": "/orders/%2E%2E",
        "order_id": "..",
        "status": 200,
        "idempotency_key": "k1",
        "body_sha256": hashlib.sha256(b'{"a": 1}').hexdigest(),
    }


def test_the_rate_is_kept_and_can_be_changed() -> None:
    with api_in_threads(Rate(1 / 60)) as api:
        limited = [put(api, "a"), put(api, "b")]
        changed = post(api, "/_sandbox/rate", rate="none")
        unlimited = [put(api, "c"), put(api, "d")]

        assert limited == [200, 429]
        assert changed == (200, b'{"rate": "none"}')
        assert unlimited == [200, 200]
        assert [entry["status"] for entry in requests(api)] == [200, 429, 200, 200]


def test_a_connection_is_kept_alive(api: str) -> None:
    with connected(api) as connection:
        for number in range(3):
            connection.request("PUT", f"/orders/{number}", b"{}")
            opened = connection.sock
            assert connection.getresponse().read().startswith(b'{"status":"accepted"')
            assert connection.sock is opened


def test_pipelined_requests_are_answered_in_order(api: str) -> None:
    post(api, "/_sandbox/faults", kind="slow", latency_seconds=0.05, order_id="1")

    with raw(api) as connection:
        connection.sendall(
            b"PUT /orders/1 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
            b"PUT /orders/2 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
            b"PUT /orders/3 HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        )
        received = until_closed(connection)

    positions = [received.index(b'"order_id":"%d"' % number) for number in (1, 2, 3)]
    assert positions == sorted(positions)
    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_the_arrival_is_that_of_the_first_byte(api: str) -> None:
    with raw(api) as connection:
        before = time.monotonic()
        connection.sendall(b"PUT /orders/split HTTP/1.1\r\n")
        put(api, "whole")
        connection.sendall(b"Content-Length: 2\r\nConnection: close\r\n\r\n{")
        put(api, "later")
        after = time.monotonic()
        connection.sendall(b"}")
        until_closed(connection)

    split, whole, later = requests(api)
    assert (split["order_id"], split["status"]) == ("split", 200)
    assert before <= split["t"] <= whole["t"] <= later["t"] <= after


def test_a_chunked_body_is_read(api: str) -> None:
    with connected(api) as connection:
        connection.request("PUT", "/orders/a", iter([b'{"a"', b": 1}"]), encode_chunked=True)
        assert connection.getresponse().status == 200

    assert requests(api)[0]["body_sha256"] == hashlib.sha256(b'{"a": 1}').hexdigest()


def test_a_status_fault_answers_with_its_status_and_retry_after(api: str) -> None:
    post(api, "/_sandbox/faults", kind="status", status=503, retry_after=7, for_requests=1)

    with connected(api) as connection:
        connection.request("PUT", "/orders/a", b"{}")
        response = connection.getresponse()
        response.read()

    assert (response.status, response.headers["Retry-After"]) == (503, "7")
    assert put(api, "a") == 200


def test_a_bodiless_status_leaves_the_connection_usable(api: str) -> None:
    post(api, "/_sandbox/faults", kind="status", status=204, for_requests=1)

    with connected(api) as connection:
        connection.request("PUT", "/orders/a", b"{}")
        assert connection.getresponse().read() == b""
        connection.request("HEAD", "/orders/a")
        assert connection.getresponse().read() == b""
        connection.request("PUT", "/orders/a", b"{}")
        assert connection.getresponse().status == 200


def test_a_hang_ends_when_the_client_gives_up(api: str) -> None:
    post(api, "/_sandbox/faults", kind="hang", order_id="a")

    with raw(api) as connection:
        connection.sendall(b"PUT /orders/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert put(api, "b") == 200
        assert [entry["order_id"] for entry in requests(api)] == ["b"]

    hung, answered = requests_when(api, 2)
    assert (hung["order_id"], hung["status"]) == ("a", 0)
    assert hung["body_sha256"] == hashlib.sha256(b"{}").hexdigest()
    assert answered["order_id"] == "b"


def test_a_reset_is_a_reset(api: str) -> None:
    post(api, "/_sandbox/faults", kind="reset", for_requests=1)

    with raw(api) as connection:
        connection.sendall(b"PUT /orders/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)

    assert requests_when(api, 1)[0]["status"] == 0


def test_slow_answers_after_its_latency(api: str) -> None:
    post(api, "/_sandbox/faults", kind="slow", latency_seconds=0.1)

    before = time.monotonic()
    status = put(api, "a")

    assert status == 200
    assert time.monotonic() - before >= 0.1


def test_a_client_that_leaves_a_slow_answer_is_logged_without_a_status(api: str) -> None:
    post(api, "/_sandbox/faults", kind="slow", latency_seconds=60)

    with raw(api) as connection:
        connection.sendall(b"PUT /orders/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")

    assert requests_when(api, 1)[0]["status"] == 0


def test_a_drip_sends_its_body_byte_by_byte(api: str) -> None:
    post(api, "/_sandbox/faults", kind="drip", latency_seconds=0.002)

    before = time.monotonic()
    status, body = ask(api, "PUT", "/orders/a", b"{}")

    assert status == 200
    assert json.loads(body)["order_id"] == "a"
    assert time.monotonic() - before >= 0.002 * len(body)


def test_a_drip_that_the_client_left_keeps_the_status_it_sent(api: str) -> None:
    post(api, "/_sandbox/faults", kind="drip")

    with raw(api) as connection:
        connection.sendall(b"PUT /orders/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert connection.recv(1_024).startswith(b"HTTP/1.1 200 OK")

    assert requests_when(api, 1)[0]["status"] == 200


def test_deleting_the_faults_ends_them(api: str) -> None:
    post(api, "/_sandbox/faults", kind="status", status=500)
    faulted = put(api, "a")

    deleted = ask(api, "DELETE", "/_sandbox/faults")

    assert (faulted, deleted, put(api, "a")) == (500, (200, b'{"faults": 0}'), 200)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": "status"}, "status"),
        ({"kind": "status", "status": 99}, "status"),
        ({"kind": "hang", "status": 500}, "status"),
        ({"kind": "hang", "retry_after": 1}, "retry_after"),
        ({"kind": "status", "status": 429, "retry_after": "1\r\nX: y"}, "retry_after"),
        ({"kind": "slow"}, "latency_seconds"),
        ({"kind": "slow", "latency_seconds": -1}, "latency_seconds"),
        ({"kind": "hang", "for_requests": 0}, "for_requests"),
        ({"kind": "hang", "for_seconds": 0}, "for_seconds"),
        ({"kind": "hang", "typo": 1}, "typo"),
    ],
)
def test_a_malformed_fault_is_refused_with_a_sentence_that_names_it(
    api: str, fields: dict[str, object], word: str
) -> None:
    status, answer = post(api, "/_sandbox/faults", **fields)

    assert status == 400
    assert word in json.loads(answer)["error"]
    assert put(api, "a") == 200


@pytest.mark.parametrize("body", [b"", b"null", b"{", b'{"rate": 1}', b'{"rate": "fast"}'])
def test_a_malformed_rate_is_refused_with_a_sentence(api: str, body: bytes) -> None:
    status, answer = ask(api, "POST", "/_sandbox/rate", body)

    assert status == 400
    assert json.loads(answer)["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/_sandbox/requests", 405),
        ("GET", "/_sandbox/faults", 405),
        ("GET", "/_sandbox/rate", 405),
        ("GET", "/_sandbox/other", 404),
    ],
)
def test_a_wrong_control_is_refused_and_not_logged(
    api: str, method: str, path: str, status: int
) -> None:
    assert ask(api, method, path)[0] == status
    assert requests(api) == []


def test_a_body_of_1_mib_is_taken_and_a_larger_one_refused(api: str) -> None:
    limit = 1_048_576

    assert put(api, "full", b"x" * limit) == 200
    assert put(api, "over", b"x" * (limit + 1)) == 413
    with connected(api) as connection:
        connection.request("PUT", "/orders/chunked", iter([b"x" * limit, b"x"]))
        assert connection.getresponse().status == 413

    assert [entry["status"] for entry in requests(api)] == [200, 413, 413]


@pytest.mark.parametrize(
    "sent", [b"rubbish\r\n\r\n", b"PUT /orders/a HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_http_is_refused_and_the_connection_closed(api: str, sent: bytes) -> None:
    with raw(api) as connection:
        connection.sendall(sent)
        received = until_closed(connection)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in received


def test_a_client_that_leaves_in_the_middle_of_a_body_is_logged(api: str) -> None:
    with raw(api) as connection:
        connection.sendall(b"PUT /orders/a HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")

    entry = requests_when(api, 1)[0]
    assert (entry["status"], entry["order_id"]) == (0, "a")
    assert entry["body_sha256"] == hashlib.sha256(b"half").hexdigest()


def test_a_taken_port_is_an_error(api: str) -> None:
    port = urlsplit(api).port
    assert port is not None

    with pytest.raises(OSError, match="in use"), api_in_threads(port=port):
        pass


def exchanged(api: str, *sent: bytes) -> bytes:
    with raw(api) as connection:
        for part in sent:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        return until_closed(connection)


def test_a_request_for_another_protocol_is_answered_once_over_http_1_1(api: str) -> None:
    received = exchanged(
        api,
        b"PUT /orders/a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    )

    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert [entry["order_id"] for entry in requests(api)] == ["a"]


def test_nothing_is_read_after_a_request_that_closes_the_connection(api: str) -> None:
    received = exchanged(
        api,
        b"PUT /orders/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"PUT /orders/b HTTP/1.1\r\nHost: x\r\n\r\n",
    )

    assert received.count(b"HTTP/1.1 ") == 1
    assert [entry["order_id"] for entry in requests(api)] == ["a"]


@pytest.mark.parametrize(
    "head", [b"Content-Length: 1048577\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n100001\r\n"]
)
def test_a_body_that_is_too_long_is_refused_and_logged_whatever_follows_it(
    api: str, head: bytes
) -> None:
    with raw(api) as connection:
        connection.sendall(b"PUT /orders/long HTTP/1.1\r\nHost: x\r\n" + head)
        if b"chunked" in head:
            connection.sendall(b"x" * 1_048_577 + b"\r\n0\r\n\r\n")
        connection.sendall(b"PUT /orders/b HTTP/1.1\r\nHost: x\r\n\r\n")
        received = until_closed(connection)

    assert received.startswith(b"HTTP/1.1 413 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert [(entry["order_id"], entry["status"]) for entry in requests(api)] == [("long", 413)]


def test_a_head_without_an_end_is_refused(api: str) -> None:
    with raw(api) as connection:
        connection.sendall(b"PUT /orders/a HTTP/1.1\r\nHost: x\r\nX-Long: ")
        connection.sendall(b"x" * 40_000)
        received = until_closed(connection)

    assert received.startswith(b"HTTP/1.1 431 ")


def test_a_connection_that_gets_no_thread_is_refused_and_the_next_one_is_served(
    api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", _no_thread)
        with raw(api) as connection:
            received = until_closed(connection)

    assert received.startswith(b"HTTP/1.1 503 ")
    assert put(api, "a") == 200


def _no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_more_connections_than_there_may_be_are_refused_until_one_ends(
    api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_CONNECTIONS_MAX", 1)
    with raw(api) as first:
        with raw(api) as second:
            assert until_closed(second).startswith(b"HTTP/1.1 503 ")
        first.sendall(b"PUT /orders/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert until_closed(first).startswith(b"HTTP/1.1 200 ")

    def is_taken() -> bool:
        try:
            return put(api, "b") == 200
        except OSError:  # closed after its 503, while the request was on its way
            return False

    eventually(is_taken, "room for another connection")
