"""How many orders a second pass through the whole chain, without a rate limit and at high rates?

The sandbox's API without a limit, the real KCL, one shard and two; beside it, in the same run, bare
loops that do nothing but PUT, with as many connections as the chain used: `requests`, its lower
layers, and the chain's own client. Then high rates, and how well they are kept. Usage:

    python benchmarks/throughput.py [--orders 30000] [--latency 0 0.02] [--shards 1 2]
                                    [--rate 100 1000] [--peer-python PYTHON]

With --peer-python, also async-kinesis with aiohttp, reading a stream of the same embedded AWS
(benchmarks/async_kinesis_sender.py says how that Python is made).
"""

import argparse
import subprocess
from pathlib import Path

from benchmarks.api_client import CLIENTS, measure
from benchmarks.chain import Chain, chain, sandbox_api, slow_down

FAST_CONNECTIONS = 2
"""What the chain uses for an API that answers at once."""
SLOW_CONNECTIONS = 52
"""... and for one that takes 20 ms (consumer/delivery/window.py)."""
WINDOW = 1024
BARE_SECONDS = 5.0
PEER_CONNECTIONS = 64
"""What async-kinesis gets beside the chain's number: aiohttp gains from more."""
PACED_SECONDS = 20.0
LIMIT_SECONDS = 300.0


def through_chain(
    orders: int, *, shards: int = 1, latency_seconds: float = 0.0, rate: str = "none"
) -> float:
    """Upload a file, and return the orders a second of the API's log."""
    settings = {
        "ORDERS_LANES": str(shards),
        "ORDERS_WINDOW": str(WINDOW),
        "ORDERS_SHARD_BYTES_PER_SECOND": "none",
    }
    options = ["--rate", rate, "--api-rate", "none", "--shards", str(shards)]
    with chain(options, **settings) as sandbox:
        slow_down(sandbox.api, latency_seconds)
        sandbox.upload(orders)
        return accepted_a_second(sandbox, orders)


def accepted_a_second(sandbox: Chain, orders: int) -> float:
    """Wait for so many requests in the API's log; the orders a second that it accepted."""
    log = sandbox.wait_for(orders, limit_seconds=LIMIT_SECONDS)
    times = [request.t for request in log if request.is_accepted]
    return (len(times) - 1) / (times[-1] - times[0])


def through_async_kinesis(
    python: Path, orders: int, *, connections: int, latency_seconds: float
) -> float:
    """As `through_chain`, by async-kinesis with aiohttp from a stream in the same embedded AWS."""
    options = ["--rate", "none", "--api-rate", "none", "--no-consumer"]
    with chain(options) as sandbox:
        slow_down(sandbox.api, latency_seconds)
        command = [
            *(str(python), str(Path(__file__).with_name("async_kinesis_sender.py"))),
            *("--endpoint", sandbox.environment["AWS_ENDPOINT_URL"], "--api", sandbox.api),
            *("--orders", str(orders), "--connections", str(connections)),
        ]
        with subprocess.Popen(command, env=dict(sandbox.environment)) as sender:
            try:
                return accepted_a_second(sandbox, orders)
            finally:
                sender.terminate()


def bare(latency_seconds: float) -> dict[str, float]:
    """Orders a second of each bare loop, with the chain's number of connections."""
    threads = SLOW_CONNECTIONS if latency_seconds else FAST_CONNECTIONS
    with sandbox_api(latency_seconds=latency_seconds) as base:
        return {
            f"bare {name}, {threads} connections": measure(
                client, base, threads=threads, seconds=BARE_SECONDS
            )[0]
            for name, client in CLIENTS.items()
        }


def main() -> None:
    """Measure, and print a table for each latency."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=30_000)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.02], help="seconds")
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rate", type=int, nargs="*", default=[100, 1_000], help="a second")
    parser.add_argument("--peer-python", type=Path, help="has benchmarks/requirements-peers.txt")
    options = parser.parse_args()
    for latency_seconds in options.latency:
        print(f"latency {latency_seconds * 1000:.0f} ms")
        loops = bare(latency_seconds)
        for name, per_second in loops.items():
            print(f"  {name:<34}{per_second:>9,.0f} orders/s")
        for shards in options.shards:
            per_second = through_chain(
                options.orders, shards=shards, latency_seconds=latency_seconds
            )
            ratios = ", ".join(f"{per_second / loop:.2f} of {name}" for name, loop in loops.items())
            print(f"  {f'chain, {shards} shard(s)':<34}{per_second:>9,.0f} orders/s  {ratios}")
        if options.peer_python:
            _print_peer(options.peer_python, options.orders, latency_seconds, per_second)
    for rate in options.rate:
        achieved = through_chain(int(rate * PACED_SECONDS), rate=f"{rate}/s")
        print(f"rate {rate}/s: {achieved:,.2f} orders/s, {achieved / rate:.2%} of it")


def _print_peer(python: Path, orders: int, latency_seconds: float, ours: float) -> None:
    threads = SLOW_CONNECTIONS if latency_seconds else FAST_CONNECTIONS
    for connections in (threads, PEER_CONNECTIONS):
        per_second = through_async_kinesis(
            python, orders, connections=connections, latency_seconds=latency_seconds
        )
        name = f"async-kinesis, aiohttp, {connections} conn."
        print(f"  {name:<34}{per_second:>9,.0f} orders/s  the chain: {ours / per_second:.2f} of it")


if __name__ == "__main__":
    main()
