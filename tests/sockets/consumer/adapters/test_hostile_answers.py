"""Answers that no honest API gives settle no order that it did not take."""

import socket
import threading
import time
from contextlib import closing

import pytest
from pydantic import SecretStr

from consumer.adapters.answer_table import AnswerTable, Meaning
from consumer.adapters.api_shape import ApiShape
from consumer.adapters.connections import Connections
from consumer.adapters.credentials import FixedCredential
from consumer.adapters.http_api import HttpApi
from consumer.adapters.http_connection import HttpConnection
from consumer.adapters.opening import NotOpened
from consumer.adapters.sign_in import BearerSignIn
from consumer.delivery.attempts import Accepted, Refused, Unavailable
from tests.e2e.scripted_api import OK, Peer, ScriptedApi, always
from tests.support.outgoing import outgoing

REQUEST = b"PUT /orders/o-1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
NUMBER = "1234567890"


def test_an_answer_that_came_before_the_request_is_not_taken_for_its_own() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(OK)
    begun: list[bool] = []

    with theirs, closing(Connections(lambda _: HttpConnection(ours))) as connections:
        result = connections.exchange(
            REQUEST, deadline=time.monotonic() + 5, begin=lambda: begun.append(True)
        )

    assert result == NotOpened("the API answered before it was asked")
    assert (begun, ours.fileno()) == ([], -1)


@pytest.mark.parametrize("status", [204, 304])
def test_the_body_of_an_answer_that_has_none_is_not_the_next_orders_answer(status: int) -> None:
    def with_body(peer: Peer) -> None:
        if peer.hear():
            peer.say(b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n" % (status, len(OK)))
            if peer.hear():  # the next order, on a connection that was kept
                peer.say(OK)
                peer.until_client_closes()

    meanings = {304: Meaning.ACCEPTED}
    scripts = [with_body, lambda peer: peer.reset()]
    with ScriptedApi(scripts).serving() as server, api(server, statuses=meanings) as client:
        first = client.send(outgoing("o-1"))
        second = client.send(outgoing("o-2"))

    assert first == Accepted(status)
    assert isinstance(second, Unavailable)


@pytest.mark.parametrize("status", [200, 303, 304])
def test_half_an_order_is_never_accepted(status: int) -> None:
    def hasty(peer: Peer) -> None:
        peer.sock.recv(1)
        peer.say(b"HTTP/1.1 %d Hm\r\nContent-Length: 0\r\n\r\n" % status)
        ended.wait(5)

    ended = threading.Event()
    meanings = {303: Meaning.ACCEPTED, 304: Meaning.ACCEPTED}
    with ScriptedApi([hasty]).serving() as server, api(server, statuses=meanings) as client:
        attempt = client.send(outgoing(body=b"x" * 60_000_000))
        ended.set()

    assert isinstance(attempt, Unavailable)
    assert attempt.may_have_arrived


def test_a_chunks_size_may_be_padded_with_blanks() -> None:
    padded = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2  \r\n{}\r\n0 \t\r\n\r\n"

    with ScriptedApi([always(padded)]).serving() as server, api(server) as client:
        assert client.send(outgoing()) == Accepted(200)


def test_a_credential_of_digits_is_not_told_as_a_limit() -> None:
    told = f"HTTP/1.1 200 OK\r\nX-RateLimit-Limit: {NUMBER}\r\nContent-Length: 0\r\n\r\n"

    scripts = [always(told.encode())]
    with ScriptedApi(scripts).serving() as server, api(server, token=NUMBER) as client:
        client.send(outgoing())

        assert client.limits_told() == ""


TOKEN = "abc/def+ghi==&<'~"
ESCAPED = {
    "as it is": TOKEN,
    "slashes escaped, as PHP does": TOKEN.replace("/", "\\/"),
    "all but letters escaped, as .NET does": "".join(
        c if c.isalnum() else f"\\u{ord(c):04X}" for c in TOKEN
    ),
    "in lower case": "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in TOKEN),
    "percent-encoded": "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in TOKEN),
    "percent-encoded in lower case": "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in TOKEN),
    "in HTML": TOKEN.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#39;"),
    "in HTML, hexadecimal": TOKEN.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#x27;"),
}


@pytest.mark.parametrize("form", ESCAPED)
def test_a_credential_that_comes_back_escaped_is_hidden_too(form: str) -> None:
    body = f'{{"error": "no such key {ESCAPED[form]}!"}}'.encode()
    answer = b"HTTP/1.1 422 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    with ScriptedApi([always(answer)]).serving() as server, api(server, token=TOKEN) as client:
        attempt = client.send(outgoing())

    assert isinstance(attempt, Refused)
    assert attempt.answer == '{"error": "no such key [credential]!"}'


def api(
    server: ScriptedApi, *, statuses: dict[int, Meaning] | None = None, token: str | None = None
) -> "closing[HttpApi]":
    credential = FixedCredential(None if token is None else SecretStr(token))
    shape = ApiShape(answers=AnswerTable(statuses))
    sign_in = BearerSignIn(credential)
    return closing(HttpApi(server.url, attempt_seconds=5, shape=shape, sign_in=sign_in))
