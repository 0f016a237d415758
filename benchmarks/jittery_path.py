"""A TCP path that holds each request for a random time, and its answer for none.

    python -m benchmarks.jittery_path --to HOST:PORT --width 0.06 --seconds 180

It prints the port that it listens on, on 127.0.0.1. The first request starts the clock; after so
many seconds the path is quiet.
"""

import argparse
import asyncio
import random
import time
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536


class Path:
    """The path: how long it holds the next request."""

    def __init__(self, width_seconds: float, seconds: float) -> None:
        """Holds each request up to `width_seconds`, for so many seconds from the first one on."""
        self._width_seconds = width_seconds
        self._seconds = seconds
        self._began_at: float | None = None

    def hold_seconds(self) -> float:
        """For how long to hold this request."""
        now = time.monotonic()
        self._began_at = self._began_at or now
        if now - self._began_at > self._seconds:
            return 0.0
        return random.uniform(0.0, self._width_seconds)  # noqa: S311 - no secret


async def requests_on(
    reader: StreamReader, writer: StreamWriter, path: Path, idle: list[bool]
) -> None:
    """Pass on what a client sends; the first bytes after an answer begin a request."""
    while chunk := await reader.read(CHUNK_BYTES):
        if idle[0]:
            idle[0] = False
            await asyncio.sleep(path.hold_seconds())
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def answers_back(reader: StreamReader, writer: StreamWriter, idle: list[bool]) -> None:
    """Pass on what the API answers, at once."""
    while chunk := await reader.read(CHUNK_BYTES):
        idle[0] = True
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def serve(host: str, port: int, path: Path) -> None:
    """Listen until the process ends."""

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        api_reader, api_writer = await asyncio.open_connection(host, port)
        idle = [True]
        with suppress(ConnectionError):
            await asyncio.gather(
                requests_on(reader, api_writer, path, idle), answers_back(api_reader, writer, idle)
            )

    server = await asyncio.start_server(connected, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", required=True, help="HOST:PORT of the API")
    parser.add_argument("--width", type=float, required=True, help="seconds")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    host, _, port = options.to.rpartition(":")
    asyncio.run(serve(host, int(port), Path(options.width, options.seconds)))


if __name__ == "__main__":
    main()
