import socket
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from types import SimpleNamespace

import pytest
from typing_extensions import override

from consumer.adapters.http_answer import Broken, HttpAnswer
from consumer.adapters.http_connection import HttpConnection, NothingSent
from tests.e2e.scripted_api import OK

REQUEST = b"PUT /orders/o-1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[HttpConnection, socket.socket]]:
    ours, theirs = socket.socketpair()
    with closing(HttpConnection(ours)) as connection, theirs:
        yield connection, theirs


def test_after_the_deadline_nothing_is_sent(ends: tuple[HttpConnection, socket.socket]) -> None:
    connection, api = ends

    result = connection.exchange(REQUEST, deadline=time.monotonic() - 1)

    api.setblocking(False)
    assert isinstance(result, NothingSent)
    with pytest.raises(BlockingIOError):
        api.recv(1)


def test_what_begins_an_exchange_comes_before_its_first_byte_and_sent_after_its_last(
    ends: tuple[HttpConnection, socket.socket],
) -> None:
    connection, api = ends
    api.setblocking(False)
    seen: list[bytes] = []

    def begin() -> None:
        with pytest.raises(BlockingIOError):
            api.recv(1)
        seen.append(b"")

    def sent() -> None:
        seen.append(api.recv(1_000))
        api.sendall(OK)

    result = connection.exchange(REQUEST, deadline=time.monotonic() + 5, begin=begin, sent=sent)

    assert isinstance(result, HttpAnswer)
    assert seen == [b"", REQUEST]


def test_an_answer_that_came_while_the_process_was_stopped_counts(
    ends: tuple[HttpConnection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, api = ends
    api.sendall(OK)
    stopped_for_hours = count(0.0, 10_000.0)
    stopped = SimpleNamespace(monotonic=lambda: next(stopped_for_hours))
    monkeypatch.setattr("consumer.adapters.http_connection.time", stopped)

    result = connection.exchange(REQUEST, deadline=30.0)

    assert isinstance(result, HttpAnswer)


def test_an_end_without_an_answer_may_have_come_after_the_order_was_taken(
    ends: tuple[HttpConnection, socket.socket],
) -> None:
    connection, api = ends
    api.shutdown(socket.SHUT_WR)

    result = connection.exchange(REQUEST, deadline=time.monotonic() + 5)

    assert result == Broken("the connection was closed without an answer")
    assert api.recv(1000) == REQUEST


def test_a_connection_is_quiet_until_the_api_says_something_or_closes(
    ends: tuple[HttpConnection, socket.socket],
) -> None:
    connection, api = ends
    before = connection.is_quiet()

    api.shutdown(socket.SHUT_WR)

    assert (before, connection.is_quiet()) == (True, False)


def test_a_connection_that_takes_nothing_in_time_has_sent_nothing_whatever_it_says(
    ends: tuple[HttpConnection, socket.socket],
) -> None:
    connection, api = ends
    while connection._send(memoryview(bytes(65_536))):
        pass
    api.sendall(OK)

    result = connection.exchange(REQUEST, deadline=time.monotonic() + 0.05)

    assert isinstance(result, NothingSent)


REFUSAL = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"


class CutOff(HttpConnection):
    """A connection that takes a few bytes, then an answer comes and it is cut off."""

    api: socket.socket
    has_begun = False

    @override
    def _send(self, unsent: memoryview) -> int:
        if not self.has_begun:
            self.has_begun = True
            return super()._send(unsent[:5])
        self.api.sendall(REFUSAL)
        raise BrokenPipeError


def test_an_answer_that_came_before_the_connection_was_cut_off_counts() -> None:
    ours, theirs = socket.socketpair()
    with closing(CutOff(ours)) as connection, theirs:
        connection.api = theirs

        result = connection.exchange(REQUEST, deadline=time.monotonic() + 5)

    assert isinstance(result, HttpAnswer)
    assert (result.head.status, result.idle_seconds) == (413, 0.0)
