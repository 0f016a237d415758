"""The yardstick async-kinesis with aiohttp: read a stream and PUT each order of it, unpaced.

It runs in a Python of its own, because its packages ask for other versions than ours:

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r benchmarks/requirements-peers.txt

and `benchmarks/throughput.py --peer-python /tmp/peers/bin/python` starts it. It imports nothing of
ours. The stream is one of its own, filled by its own producer in its densest format; it keeps its
place in memory only, settles nothing, and sends in any order.
"""

import argparse
import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
from kinesis import Consumer, Producer
from kinesis.processors import JsonListProcessor

OK = 200
STREAM = "peer-orders"


def orders(count: int) -> Iterator[dict[str, Any]]:
    """Orders like those of benchmarks/chain.py."""
    for number in range(count):
        yield {
            "order_id": f"ORD-{number:09d}",
            "customer_id": f"C-{number % 999_983:06d}",
            "sku": f"SKU-{number % 99_991:05d}",
            "quantity": number % 99 + 1,
            "unit_price": f"{number % 1_000}.{number % 100:02d}",
            "currency": "EUR",
            "placed_at": "2026-03-01T00:00:00Z",
        }


async def fill(endpoint: str, count: int) -> None:
    """Put the orders on the stream, which is made when needed."""
    async with Producer(
        STREAM, endpoint_url=endpoint, create_stream=True, processor=JsonListProcessor()
    ) as producer:
        for order in orders(count):
            await producer.put(order)


async def send(endpoint: str, api: str, count: int, connections: int) -> None:
    """PUT every order of the stream, so many at a time."""
    free = asyncio.Semaphore(connections)
    connector = aiohttp.TCPConnector(limit=connections)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        Consumer(STREAM, endpoint_url=endpoint, processor=JsonListProcessor()) as consumer,
        asyncio.TaskGroup() as tasks,
    ):

        async def put(order: dict[str, Any]) -> None:
            try:
                url = f"{api}/orders/{order['order_id']}"
                async with session.put(url, data=json.dumps(order).encode()) as answer:
                    await answer.read()
                    if answer.status != OK:
                        raise SystemExit(f"the API answered {answer.status}")
            finally:
                free.release()

        seen = 0
        while seen < count:
            async for record in consumer:
                for order in record:
                    await free.acquire()
                    tasks.create_task(put(order))
                seen += len(record)


async def run(options: argparse.Namespace) -> None:
    """Fill the stream, then send all of it."""
    await fill(options.endpoint, options.orders)
    await send(options.endpoint, options.api, options.orders, options.connections)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--api", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    asyncio.run(run(parser.parse_args()))
