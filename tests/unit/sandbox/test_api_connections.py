import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

from orders.rate import NO_LIMIT
from sandbox.api.server import premises, serving

LIMIT_SECONDS = 5.0
REQUEST = b"PUT /orders/a HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


async def status_line(address: str, *, keep: list[asyncio.StreamWriter]) -> bytes:
    split = urlsplit(address)
    reader, writer = await asyncio.open_connection(split.hostname, split.port)
    keep.append(writer)
    writer.write(REQUEST)
    return await reader.readline()


def test_a_connection_more_than_may_be_open_is_refused_and_the_others_go_on() -> None:
    async def scenario() -> tuple[bytes, bytes, bytes]:
        kept: list[asyncio.StreamWriter] = []
        async with serving(replace(premises(NO_LIMIT), connections=1)) as address:
            first = await status_line(address, keep=kept)
            second = await status_line(address, keep=kept)
            for writer in kept:
                writer.close()
                await writer.wait_closed()
            async with asyncio.timeout(LIMIT_SECONDS):  # it sees the end of the first soon
                third = second
                while third == second:
                    third = await status_line(address, keep=kept)
            kept[-1].close()
        return first, second, third

    first, second, third = asyncio.run(scenario())

    assert first == b"HTTP/1.1 200 OK\r\n"
    assert second == b"HTTP/1.1 503 Service Unavailable\r\n"
    assert third == b"HTTP/1.1 200 OK\r\n"
