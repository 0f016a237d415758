"""How do answers get onto the wire, one after the other?"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import assert_never

from sandbox.api.answers import Answer, Listing
from sandbox.api.decision import Drip, Hang, Plan, Reply, Reset
from sandbox.api.exchange import Exchange
from sandbox.api.premises import Premises

_NO_LINGER = struct.pack("ii", 1, 0)  # l_onoff, l_linger: close() sends a reset
_LISTEN_ON_SECONDS = 1.0


class AnswerWriter:
    """Answers the exchanges at the head of a queue, each at its turn and its time."""

    def __init__(
        self,
        premises: Premises,
        queue: deque[Exchange],
        transport: asyncio.Transport,
        read_on: Callable[[], None],
    ) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self._premises = premises
        self._queue = queue
        self._transport = transport
        self._read_on = read_on
        self._task: asyncio.Task[None] | None = None

    def advance(self) -> None:
        """Answer what can be answered now; leave a task behind for what takes time."""
        while self._queue and self._task is None and not self._transport.is_closing():
            exchange = self._queue[0]
            if not exchange.whole or exchange.plan is None:
                return
            match exchange.plan:
                case Reply(answer, due_at) if due_at <= self._premises.clock():
                    self._send(exchange, answer)
                case Hang():
                    return
                case plan:
                    self._task = asyncio.create_task(self._take_time(exchange, plan))

    def lost(self) -> None:
        """The connection is gone: whatever was not answered has ended all the same."""
        if self._task is not None:
            self._task.cancel()
        self.writable.set()
        while self._queue:
            self._end(self._queue[0])

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    async def _take_time(self, exchange: Exchange, plan: Plan | Listing) -> None:
        match plan:
            case Reply(answer, due_at):
                await self._wait_until(due_at)
                self._send(exchange, answer)
            case Drip(answer, pause_seconds):
                await self._drip(exchange, answer, pause_seconds)
            case Reset(due_at):
                await self._wait_until(due_at)
                self.reset()
            case Listing():
                await self._list(exchange, plan)
            case Hang():
                return
            case _:
                assert_never(plan)
        self._task = None
        self.advance()

    async def _wait_until(self, due_at: float) -> None:
        await asyncio.sleep(max(0.0, due_at - self._premises.clock()))

    def _send(self, exchange: Exchange, answer: Answer) -> None:
        self._transport.write(
            answer.head(closes=exchange.closes) + answer.body_for(exchange.method)
        )
        exchange.status = answer.status
        self._end(exchange)

    async def _drip(self, exchange: Exchange, answer: Answer, pause_seconds: float) -> None:
        self._transport.write(answer.head(closes=exchange.closes))
        exchange.status = answer.status
        for byte in answer.body_for(exchange.method):
            await asyncio.sleep(pause_seconds)
            self._transport.write(bytes((byte,)))
        self._end(exchange)

    async def _list(self, exchange: Exchange, listing: Listing) -> None:
        log = self._premises.log
        self._transport.write(listing.head(closes=exchange.closes, dropped=log.dropped))
        for chunk in log.chunks():
            if chunk:
                self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await asyncio.sleep(0)  # requests that arrive now are not to wait for a long log
            await self.writable.wait()
        self._transport.write(b"0\r\n\r\n")
        exchange.status = 200
        self._end(exchange)

    def _end(self, exchange: Exchange) -> None:
        self._queue.popleft()
        if not exchange.is_control:
            self._premises.log.close(exchange.place, exchange.log_entry())
        if not self._transport.is_closing():
            self._read_on()  # nothing is read while too many requests wait
        if exchange.closes and not self._transport.is_closing():
            self._transport.write_eof()  # what the client still sends is read, else it sees a reset
            asyncio.get_running_loop().call_later(_LISTEN_ON_SECONDS, self._transport.close)
