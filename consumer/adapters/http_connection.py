"""One request over one connection, and its answer, by a deadline."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from consumer.adapters.http_answer import AnswerReader, Broken, HttpAnswer

_RECEIVE_BYTES = 65_536  # more than a TLS record, so nothing readable stays behind in the TLS layer
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True)
class NothingSent:
    """The connection failed before it took any byte of the request."""

    reason: str


def nothing() -> None:
    """Do nothing when the request is sent."""


Exchanged = HttpAnswer | Broken | NothingSent


class HttpConnection:
    """One open connection, used by one thread at a time; its socket never blocks."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.settimeout(0)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def exchange(
        self,
        request: bytes,
        *,
        deadline: float,
        begin: Callable[[], None] = nothing,
        sent: Callable[[], None] = nothing,
    ) -> Exchanged:
        """Send a request and read its answer; `deadline` in seconds of time.monotonic().

        `begin` is called before the first byte of the request is given to the kernel, `sent` after
        the last. The connection is reusable only after an HttpAnswer with time left.
        """
        if deadline <= time.monotonic():
            return NothingSent("no time was left to send it")
        unsent = memoryview(request)
        reader = AnswerReader()
        lost = False
        begin()
        while True:
            if unsent and not lost:
                try:
                    unsent = unsent[self._send(unsent) :]
                    if not unsent:
                        sent()
                except OSError as error:
                    if len(unsent) == len(request):
                        return NothingSent(f"the connection was lost: {cause(error)}")
                    lost = True  # the API may have answered before it closed: read what is here
            if not self._wait(deadline, writable=bool(unsent) and not lost):
                late = reader.broken("no complete answer in time")
                return _as_far_as_sent(late, unsent=len(unsent), of=len(request))
            try:
                received = self._read(reader)
            except OSError as error:
                received = reader.broken(f"the connection was lost: {cause(error)}")
            if received is not None:
                return _as_far_as_sent(received, unsent=len(unsent), of=len(request))

    def is_quiet(self) -> bool:
        """Has the API neither closed this connection nor sent anything unsolicited?"""
        return self.disturbance() is None

    def disturbance(self) -> str | None:
        """Why no request should be sent here; None where the API waits for one.

        A socket that is merely readable may hold a TLS session ticket, so it is read.
        """
        try:
            received = self._sock.recv(1)
        except _NOT_NOW:
            return None
        except OSError as error:
            return f"the connection was lost: {cause(error)}"
        did = "answered" if received else "closed the connection"
        return f"the API {did} before it was asked"

    def close(self) -> None:
        """Close the connection at once, without TLS's goodbye."""
        with suppress(OSError):
            self._sock.close()

    def _send(self, unsent: memoryview) -> int:
        try:
            return self._sock.send(unsent)
        except _NOT_NOW:
            return 0

    def _wait(self, deadline: float, *, writable: bool) -> bool:
        """Wait until the socket is ready, or for the deadline; False where it is not ready.

        A process that was stopped past its deadline may still find the answer here.
        """
        seconds = max(0.0, deadline - time.monotonic())
        if seconds == 0 or not writable:
            return bool(self._poll.poll(seconds * 1000))
        self._poll.modify(self._sock, select.POLLIN | select.POLLOUT)
        ready = self._poll.poll(seconds * 1000)
        self._poll.modify(self._sock, select.POLLIN)
        return bool(ready)

    def _read(self, reader: AnswerReader) -> HttpAnswer | Broken | None:
        """Feed the reader all that was received; None while the answer is incomplete."""
        while True:
            try:
                chunk = self._sock.recv(_RECEIVE_BYTES)
            except _NOT_NOW:
                return None
            result = reader.feed(chunk) if chunk else reader.ended()
            if result is not None:
                return result


def cause(error: BaseException) -> str:
    """The innermost reason for a failed connection, in a few words."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _as_far_as_sent(result: HttpAnswer | Broken, *, unsent: int, of: int) -> Exchanged:
    """The result of an answer to a request sent only in part; `unsent` and `of` in bytes."""
    if unsent == 0:
        return result
    if unsent == of:
        return NothingSent("the connection took nothing of the request")
    match result:
        case HttpAnswer(head) if 200 <= head.status < 400:  # noqa: PLR2004 - what may accept it
            return Broken("it was answered before it was all sent", head)  # half an order
        case HttpAnswer(head, body):
            return HttpAnswer(head, body, idle_seconds=0.0)
        case Broken():
            return result
