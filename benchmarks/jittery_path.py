"""A TCP path that delays each request by a random time, and answers not at all.

    python -m benchmarks.jittery_path --to HOST:PORT --width 0.06 --seconds 180

It prints the port that it listens on, on 127.0.0.1. The delays stop this many seconds after the
first request.
"""

import argparse
import asyncio
import random
import time
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536


class JitteryPath:
    """Delays each request by up to `width_seconds`, for `seconds` from the first one on."""

    def __init__(self, host: str, port: int, *, width_seconds: float, seconds: float) -> None:
        self._address = (host, port)
        self._width_seconds = width_seconds
        self._seconds = seconds
        self._first_at: float | None = None

    async def serve(self) -> None:
        """Listen until the process ends."""
        server = await asyncio.start_server(self._connected, HOST, 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        api_reader, api_writer = await asyncio.open_connection(*self._address)
        is_idle = True

        async def pass_requests() -> None:
            """The first bytes after an answer begin a request."""
            nonlocal is_idle
            while chunk := await reader.read(CHUNK_BYTES):
                if is_idle:
                    is_idle = False
                    await asyncio.sleep(self._delay_seconds())
                api_writer.write(chunk)
                await api_writer.drain()
            api_writer.close()

        async def pass_answers() -> None:
            nonlocal is_idle
            while chunk := await api_reader.read(CHUNK_BYTES):
                is_idle = True
                writer.write(chunk)
                await writer.drain()
            writer.close()

        with suppress(ConnectionError):
            await asyncio.gather(pass_requests(), pass_answers())

    def _delay_seconds(self) -> float:
        now = time.monotonic()
        self._first_at = self._first_at or now
        if now - self._first_at > self._seconds:
            return 0.0
        return random.uniform(0.0, self._width_seconds)  # noqa: S311 - no secret


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", required=True, help="HOST:PORT of the API")
    parser.add_argument("--width", type=float, required=True, help="seconds")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    host, _, port = options.to.rpartition(":")
    path = JitteryPath(host, int(port), width_seconds=options.width, seconds=options.seconds)
    asyncio.run(path.serve())


if __name__ == "__main__":
    main()
