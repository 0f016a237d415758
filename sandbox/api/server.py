"""How is the API started, and on which address?"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

from orders.rate import NO_LIMIT, Rate
from sandbox.api.arrival import ArrivalClock, ask_for_stamps
from sandbox.api.connection import Connection
from sandbox.api.decision import Desk
from sandbox.api.descriptors import BACKLOG, connections_allowed
from sandbox.api.gap import GapRule
from sandbox.api.premises import Premises
from sandbox.api.request_log import RequestLog

HOST = "127.0.0.1"
_START_LIMIT_SECONDS = 10.0


def premises(rate: Rate, log: RequestLog | None = None) -> Premises:
    """A fresh API under this rate, on the machine's monotonic clock."""
    return Premises(
        desk=Desk(GapRule(rate)),
        log=log or RequestLog(),
        clock=time.monotonic,
        arrivals=ArrivalClock(),
        connections=connections_allowed(),
    )


@asynccontextmanager
async def serving(shared: Premises, port: int = 0) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 (port 0: a free one); yields the address without trailing slash.

    Raises OSError where the port is taken. On leaving, connections end at once.
    """
    connections: set[Connection] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(shared, connections), HOST, port, backlog=BACKLOG
    )
    ask_for_stamps(server.sockets[0])  # its connections inherit it
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in tuple(connections):
            connection.abort()
        await server.wait_closed()


@contextmanager
def api_in_thread(rate: Rate = NO_LIMIT, port: int = 0) -> Iterator[str]:
    """The same from a thread of this process, for tests. Raises OSError likewise."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    address: Future[str] = Future()

    async def serve() -> None:
        async with serving(premises(rate), port) as base:
            address.set_result(base)
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except OSError as error:
            address.set_exception(error)
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="sandbox-api", daemon=True)
    thread.start()
    base = address.result(_START_LIMIT_SECONDS)
    try:
        yield base
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_LIMIT_SECONDS)
