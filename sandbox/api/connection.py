"""What does the server do when a connection is made, speaks or ends?"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from sandbox.api.answers import problem
from sandbox.api.inlet import Inlet
from sandbox.api.premises import Premises
from sandbox.api.reading import RequestReader
from sandbox.api.writing import AnswerWriter

if TYPE_CHECKING:
    from sandbox.api.exchange import Exchange

PIPELINED = 64


class Connection(asyncio.Protocol):
    """One client's connection: keep-alive, one answer after the other."""

    def __init__(self, premises: Premises, open_connections: set["Connection"]) -> None:
        self._premises = premises
        self._open_connections = open_connections
        self._queue: deque[Exchange] = deque()
        self._reader = RequestReader(premises, self._queue)
        self._transport: asyncio.Transport
        self._inlet: Inlet
        self._writer: AnswerWriter

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if len(self._open_connections) >= self._premises.connections:
            answer = problem(503, f"There are at most {self._premises.connections} connections.")
            self._transport.write(answer.head(closes=True) + answer.body)
            self._transport.close()
            return
        self._open_connections.add(self)
        self._inlet = Inlet(self._transport, self._premises.arrivals, self._take)
        self._writer = AnswerWriter(self._premises, self._queue, self._transport, self._inlet.open)

    @override
    def pause_writing(self) -> None:
        self._writer.writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writer.writable.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self in self._open_connections:
            self._open_connections.remove(self)
            self._inlet.close()
            self._writer.lost()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def _take(self, received: bytes, arrived_at: float) -> None:
        if self._reader.deaf:
            return
        self._reader.feed(received, arrived_at)
        self._writer.advance()
        if self._reader.wants_continue and len(self._queue) == 1:
            self._reader.wants_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self._queue) > PIPELINED:
            self._inlet.shut()
