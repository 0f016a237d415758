"""How many orders a second go through the whole chain, without a rate and at high rates?

The sandbox's API without a limit, real KCL, one shard and two; beside it, in the same run, bare
loops that do nothing but PUT, with as many connections as the chain used: `requests`, its own lower
layers, and the client that the chain has. Then high rates, and how well they are held. Usage:

    python benchmarks/throughput.py [--orders 30000] [--latency 0 0.02] [--shards 1 2]
                                    [--rate 100 1000]
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.api_client import CLIENTS, measure, sandbox_api
from benchmarks.chain import accepted_times, chain, slow_down

FAST_CONNECTIONS = 2
"""What the chain uses for an API that answers at once."""
SLOW_CONNECTIONS = 52
"""... and for one that takes 20 ms (consumer/delivery/window.py)."""
WINDOW = 1024
BARE_SECONDS = 5.0
PACED_SECONDS = 20.0
LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Orders a second of one way to send."""

    name: str
    per_second: float


def through_chain(
    orders: int, *, shards: int = 1, latency_seconds: float = 0.0, rate: str = "none"
) -> Figure:
    """Upload a file, and read off the API's log how fast it came."""
    settings = {
        "ORDERS_LANES": str(shards),
        "ORDERS_WINDOW": str(WINDOW),
        "ORDERS_SHARD_BYTES_PER_SECOND": "none",
    }
    options = ["--rate", rate, "--api-rate", "none", "--shards", str(shards)]
    with chain(options, **settings) as sandbox:
        slow_down(sandbox.api, latency_seconds)
        sandbox.upload(orders)
        times = accepted_times(sandbox.wait_for(orders, limit_seconds=LIMIT_SECONDS))
    return Figure(f"chain, {shards} shard(s)", (len(times) - 1) / (times[-1] - times[0]))


def bare(latency_seconds: float) -> list[Figure]:
    """The bare loops, with the chain's number of connections."""
    threads = SLOW_CONNECTIONS if latency_seconds else FAST_CONNECTIONS
    with sandbox_api() as base:
        slow_down(base, latency_seconds)
        return [
            Figure(
                f"bare {name}, {threads} connections",
                measure(client, base, threads=threads, seconds=BARE_SECONDS)[0],
            )
            for name, client in CLIENTS.items()
        ]


def tell(latency_seconds: float, ceilings: Sequence[Figure], chains: Sequence[Figure]) -> None:
    """Print one latency's figures, each chain beside each ceiling."""
    print(f"latency {latency_seconds * 1000:.0f} ms")
    for figure in (*ceilings, *chains):
        ratios = ", ".join(
            f"{figure.per_second / ceiling.per_second:.2f} of {ceiling.name}"
            for ceiling in ceilings
            if figure not in ceilings
        )
        print(f"  {figure.name:<34}{figure.per_second:>9,.0f} orders/s  {ratios}")


def main() -> None:
    """Measure, and print a table for each latency."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=30_000)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.02], help="seconds")
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rate", type=int, nargs="*", default=[100, 1_000], help="a second")
    options = parser.parse_args()
    for latency_seconds in options.latency:
        ceilings = bare(latency_seconds)
        chains = [
            through_chain(options.orders, shards=shards, latency_seconds=latency_seconds)
            for shards in options.shards
        ]
        tell(latency_seconds, ceilings, chains)
    for rate in options.rate:
        held = through_chain(int(rate * PACED_SECONDS), rate=f"{rate}/s").per_second
        print(f"rate {rate}/s: {held:,.2f} orders/s, {held / rate:.2%} of it")


if __name__ == "__main__":
    main()
