"""The pool of open connections."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from consumer.adapters.http_answer import Broken, HttpAnswer
from consumer.adapters.http_connection import HttpConnection, NothingSent, nothing
from consumer.adapters.opening import NotOpened

IDLE_SECONDS = 50.0  # common load balancers close after 60 s
SERVICE_SECONDS = 300.0  # a connection open for days would miss a change of the API's address
_SHARE_OF_PROMISE = 0.5  # the API counts its Keep-Alive seconds from an earlier moment


class _Idle(NamedTuple):
    connection: HttpConnection
    opened_at: float
    until: float


class Connections:
    """Open connections, the last one used first; thread-safe.

    The rule for connections that the API may have closed meanwhile (decision 73): one that was
    idle too long, was closed or has unsolicited bytes is not used, nor is a new one that has. One
    that fails before it takes a byte of the request is replaced, once, within the same attempt:
    nothing has reached the API, so the pace is kept. Once it took a byte, the request is never
    sent again here.
    """

    def __init__(
        self,
        opened: Callable[[float], HttpConnection | NotOpened],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`, in seconds, ages connections."""
        self._opened = opened
        self._clock = clock
        self._lock = Lock()
        self._idle: deque[_Idle] = deque()

    def open_ahead(self, *, seconds: float) -> NotOpened | None:
        """Make sure that a connection is idle; the reason where there is none."""
        idle = self._take()
        if idle is not None:
            self._put_back(idle)
            return None
        opened = self._opened(seconds)
        if isinstance(opened, NotOpened):
            return opened
        now = self._clock()
        self._put_back(_Idle(opened, opened_at=now, until=now + IDLE_SECONDS))
        return None

    def exchange(
        self,
        request: bytes,
        *,
        deadline: float,
        begin: Callable[[], None] = nothing,
        sent: Callable[[], None] = nothing,
    ) -> HttpAnswer | Broken | NotOpened:
        """Send a request, once, and read its answer; `deadline` in seconds of time.monotonic()."""
        idle = self._take()
        if idle is not None:
            result = idle.connection.exchange(request, deadline=deadline, begin=begin, sent=sent)
            if not isinstance(result, NothingSent):
                self._release(idle.connection, idle.opened_at, result)
                return result
            idle.connection.close()
        opened_at = self._clock()
        connection = self._opened(deadline - time.monotonic())
        if isinstance(connection, NotOpened):
            return connection
        disturbance = connection.disturbance()
        if disturbance is not None:
            connection.close()
            return NotOpened(disturbance)
        result = connection.exchange(request, deadline=deadline, begin=begin, sent=sent)
        if isinstance(result, NothingSent):
            connection.close()
            return NotOpened(result.reason)
        self._release(connection, opened_at, result)
        return result

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            leaving = list(self._idle)
            self._idle.clear()
        for idle in leaving:
            idle.connection.close()

    def _release(
        self, connection: HttpConnection, opened_at: float, result: HttpAnswer | Broken
    ) -> None:
        now = self._clock()
        ends_at = opened_at + SERVICE_SECONDS
        match result:
            case HttpAnswer(idle_seconds=None):
                until = min(now + IDLE_SECONDS, ends_at)
            case HttpAnswer(idle_seconds=float() as promised):
                until = min(now + min(IDLE_SECONDS, promised * _SHARE_OF_PROMISE), ends_at)
            case _:
                until = now
        if until <= now:
            connection.close()
        else:
            self._put_back(_Idle(connection, opened_at, until))

    def _put_back(self, idle: _Idle) -> None:
        """Keep an idle connection, and close the longest idle one if its time is up."""
        expired = None
        with self._lock:
            if self._idle and self._idle[0].until <= self._clock():
                expired = self._idle.popleft()
            self._idle.append(idle)
        if expired is not None:
            expired.connection.close()

    def _take(self) -> _Idle | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                idle = self._idle.pop()
            if self._clock() < idle.until and idle.connection.is_quiet():
                return idle
            idle.connection.close()
