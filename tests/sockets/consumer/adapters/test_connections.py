import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from typing_extensions import override

from consumer.adapters import opening
from consumer.adapters.api_url import parse_api_url
from consumer.adapters.connections import IDLE_SECONDS, SERVICE_SECONDS, Connections
from consumer.adapters.http_answer import HttpAnswer
from consumer.adapters.http_api import HttpApi
from consumer.adapters.http_connection import HttpConnection
from consumer.adapters.opening import NotOpened
from consumer.delivery.attempts import Accepted, Attempt, Conflict, Unavailable
from tests.e2e.scripted_api import (
    LIMIT_SECONDS,
    OK,
    Certificate,
    Peer,
    ScriptedApi,
    always,
    answering,
    certificate,
)
from tests.support.outgoing import outgoing

REQUEST = b"PUT /orders/o-1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
UNASKED = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=["http", "https"])
def secured(request: pytest.FixtureRequest, shown: Certificate) -> Certificate | None:
    return shown if request.param == "https" else None


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@contextmanager
def client(
    server: ScriptedApi, shown: Certificate | None = None, *, seconds: float = 5.0
) -> Iterator[HttpApi]:
    ca_file = None if shown is None else shown.ca_file
    with closing(HttpApi(server.url, attempt_seconds=seconds, ca_file=ca_file)) as api:
        yield api


def pool(server: ScriptedApi, now: list[float]) -> "closing[Connections]":
    opened = opening.opener(parse_api_url(server.url))
    return closing(Connections(opened, clock=lambda: now[0]))


def put(api: HttpApi) -> Attempt:
    return api.send(outgoing())


def scripted(*scripts: Callable[[Peer], None], shown: Certificate | None = None) -> "ScriptedApi":
    return ScriptedApi(scripts, context=None if shown is None else shown.context)


# One connection for many orders.


def test_a_connection_opened_ahead_carries_order_after_order(secured: Certificate | None) -> None:
    with scripted(always(OK), shown=secured).serving() as server, client(server, secured) as api:
        api.connect()
        api.connect()
        until(lambda: server.connections == 1)
        attempts = [put(api) for _ in range(5)]

    assert attempts == [Accepted(200)] * 5
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(CLOSING, id="it says close"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", id="HTTP/1.0"),
        pytest.param(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", id="a second answer"),
        pytest.param(OK + b"surplus", id="bytes behind the answer"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\n{}",
            id="it keeps nothing",
        ),
    ],
)
def test_a_connection_that_the_api_will_not_keep_is_not_used_again(answer: bytes) -> None:
    with scripted(always(answer)).serving() as server, client(server) as api:
        attempts = [put(api), put(api)]

    assert attempts == [Accepted(200)] * 2
    assert server.connections == 2


def test_bytes_that_come_late_are_never_taken_for_the_next_answer(
    secured: Certificate | None,
) -> None:
    said = threading.Event()

    def talkative(peer: Peer) -> None:
        peer.hear()
        peer.say(OK)
        peer.say(UNASKED)
        said.set()
        peer.until_client_closes()

    with (
        scripted(talkative, always(OK), shown=secured).serving() as server,
        client(server, secured) as api,
    ):
        put(api)
        said.wait(LIMIT_SECONDS)

        attempt = put(api)

    assert attempt == Accepted(200)
    assert server.connections == 2


def test_a_connection_that_the_api_closed_while_idle_costs_no_attempt(
    secured: Certificate | None,
) -> None:
    with scripted(answering(OK), shown=secured).serving() as server, client(server, secured) as api:
        attempts = []
        for _ in range(3):
            attempts.append(put(api))
            until(lambda: server.ended == len(attempts))

    assert attempts == [Accepted(200)] * 3
    assert len(server.requests) == 3


def test_an_end_after_the_order_was_sent_is_never_tried_again() -> None:
    def closes_instead_of_answering(peer: Peer) -> None:
        peer.hear()
        peer.say(OK)
        peer.hear()

    with (
        scripted(closes_instead_of_answering, always(OK)).serving() as server,
        client(server) as api,
    ):
        put(api)

        attempt = put(api)

    assert attempt == Unavailable(
        None, "the connection was closed without an answer", may_have_arrived=True
    )
    assert (server.connections, len(server.requests)) == (1, 2)


class LostBeforeSending(HttpConnection):
    """A connection whose end shows only when the request is sent."""

    @override
    def is_quiet(self) -> bool:
        self._sock.shutdown(socket.SHUT_WR)
        return True


def test_a_connection_lost_before_the_first_byte_is_replaced_within_the_attempt() -> None:
    with scripted(always(OK)).serving() as server:
        opened = opening.opener(parse_api_url(server.url))
        openings: list[HttpConnection] = []

        def first_one_is_lost(seconds: float) -> HttpConnection | NotOpened:
            connection = opened(seconds)
            assert isinstance(connection, HttpConnection)
            if not openings:
                connection = LostBeforeSending(connection._sock)
            openings.append(connection)
            return connection

        with closing(Connections(first_one_is_lost)) as connections:
            connections.open_ahead(seconds=5)
            result = connections.exchange(REQUEST, deadline=time.monotonic() + 5)

    assert isinstance(result, HttpAnswer)
    assert (len(openings), len(server.requests)) == (2, 1)


@pytest.mark.parametrize(
    ("answer", "idle_seconds", "opened"),
    [
        (OK, IDLE_SECONDS - 1, 1),
        (OK, IDLE_SECONDS + 1, 2),
        (OK.replace(b"\r\n", b"\r\nKeep-Alive: timeout=5, max=99\r\n", 1), 2.4, 1),
        (OK.replace(b"\r\n", b"\r\nKeep-Alive: timeout=5, max=99\r\n", 1), 2.6, 2),
        (OK.replace(b"\r\n", b"\r\nKeep-Alive: max=9, timeout=900\r\n", 1), IDLE_SECONDS + 1, 2),
    ],
)
def test_a_connection_is_used_again_only_while_the_api_surely_keeps_it(
    answer: bytes, idle_seconds: float, opened: int
) -> None:
    now = [1000.0]
    with scripted(always(answer)).serving() as server, pool(server, now) as connections:
        connections.exchange(REQUEST, deadline=time.monotonic() + 5)
        now[0] += idle_seconds
        connections.exchange(REQUEST, deadline=time.monotonic() + 5)

    assert server.connections == opened


def test_a_connection_ends_after_a_while_so_that_the_apis_name_is_looked_up_again() -> None:
    now = [1000.0]
    with scripted(always(OK)).serving() as server, pool(server, now) as connections:
        for _ in range(int(SERVICE_SECONDS) + 10):
            connections.exchange(REQUEST, deadline=time.monotonic() + 5)
            now[0] += 1

    assert server.connections == 2


def test_64_threads_at_once_use_a_connection_each_and_get_their_own_answers() -> None:
    def echo(peer: Peer) -> None:
        while request := peer.hear():
            target = request.line.split()[1]
            peer.say(f"HTTP/1.1 409 No\r\nContent-Length: {len(target)}\r\n\r\n{target}".encode())

    with scripted(echo).serving() as server, client(server, seconds=LIMIT_SECONDS) as api:
        start = threading.Barrier(64)

        def send(thread: int) -> list[tuple[str, Attempt]]:
            start.wait(LIMIT_SECONDS)
            ids = [f"o-{thread}-{number}" for number in range(10)]
            return [(each, api.send(outgoing(each))) for each in ids]

        with ThreadPoolExecutor(64) as threads:
            attempts = [pair for sent in threads.map(send, range(64)) for pair in sent]

    assert len(attempts) == 640
    assert all(attempt == Conflict(409, f"/orders/{each}") for each, attempt in attempts)
    assert server.connections <= 64
