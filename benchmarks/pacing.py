"""How much of an allowed rate is used, and how even are the requests?

Ours is the whole chain in the sandbox; beside it, at the same time, the usual ways to send at a
fixed rate, each at an API of its own that enforces the interval with 20 ms tolerance. Usage:

    python benchmarks/pacing.py [--seconds 180] [--latency 0.15 2.5]

A way uses every allowed turn if the API accepts one request for each second between its first and
its last; what it refuses with 429 is counted beside it.
"""

import argparse
import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, pairwise

import requests
from aiolimiter import AsyncLimiter

from benchmarks.api_client import BODY, FIELDS, LIMIT_SECONDS, sandbox_api
from benchmarks.chain import chain, request_log, slow_down

INTERVAL_SECONDS = 1.0
OK, TOO_MANY = 200, 429


@dataclass(frozen=True, slots=True)
class Result:
    """What the API saw of one way to send. Gaps are seconds."""

    name: str
    latency_seconds: float
    share: float
    smallest_gap: float
    refused: int


def put(base: str, number: int) -> None:
    """Send one order, whatever becomes of it."""
    requests.put(f"{base}/orders/o-{number}", BODY, headers=FIELDS, timeout=LIMIT_SECONDS)


def sleep_after_call(base: str, ends_at: float) -> None:
    """Call, then sleep for the interval."""
    for number in count():
        if time.monotonic() >= ends_at:
            return
        put(base, number)
        time.sleep(INTERVAL_SECONDS)


def sleep_the_remainder(base: str, ends_at: float) -> None:
    """Call, then sleep for what is left of the interval."""
    for number in count():
        began_at = time.monotonic()
        if began_at >= ends_at:
            return
        put(base, number)
        time.sleep(max(0.0, began_at + INTERVAL_SECONDS - time.monotonic()))


def with_aiolimiter(base: str, ends_at: float) -> None:
    """One permit an interval, calls beside each other."""

    async def send() -> None:
        limiter = AsyncLimiter(1, INTERVAL_SECONDS)
        calls = set()
        for number in count():
            async with limiter:
                if time.monotonic() >= ends_at:
                    break
                calls.add(asyncio.create_task(asyncio.to_thread(put, base, number)))
        await asyncio.gather(*calls)

    asyncio.run(send())


WAYS: dict[str, Callable[[str, float], None]] = {
    "sleep after the call": sleep_after_call,
    "sleep the remainder": sleep_the_remainder,
    "aiolimiter": with_aiolimiter,
}


def result_of(name: str, base: str, *, latency_seconds: float, seconds: float) -> Result:
    """Judge by the API's log: so many seconds from the first accepted request on."""
    log = request_log(base)
    accepted = [float(str(entry["t"])) for entry in log if entry["status"] == OK]
    begin = accepted[0]
    times = [t for t in accepted if t <= begin + seconds]
    arrivals = [t for entry in log if (t := float(str(entry["t"]))) <= begin + seconds]
    return Result(
        name,
        latency_seconds,
        share=(len(times) - 1) * INTERVAL_SECONDS / (times[-1] - begin),
        smallest_gap=min((after - before for before, after in pairwise(arrivals)), default=0.0),
        refused=sum(1 for entry in log if entry["status"] == TOO_MANY),
    )


def tell(results: Sequence[Result]) -> None:
    """Print a table."""
    print(f"{'way':<22}{'latency':>9}{'turns used':>12}{'smallest gap':>14}{'429':>5}")
    for result in results:
        print(
            f"{result.name:<22}{result.latency_seconds:>7.2f} s{result.share:>12.2%}"
            f"{result.smallest_gap:>12.3f} s{result.refused:>5}"
        )


def main() -> None:
    """Run every way at every latency at once, and judge them by their APIs' logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--latency", type=float, nargs="+", default=[0.15, 2.5], help="seconds")
    options = parser.parse_args()
    with ExitStack() as stack:
        bases: list[tuple[str, float, str]] = []
        for latency in options.latency:
            sandbox = stack.enter_context(chain(["--rate", "1/s"]))
            slow_down(sandbox.api, latency)
            bases.append(("ours", latency, sandbox.api))
            sandbox.upload(int(options.seconds) + 30)
            for name in WAYS:
                base = stack.enter_context(sandbox_api("1/s"))
                slow_down(base, latency)
                bases.append((name, latency, base))
        ends_at = time.monotonic() + options.seconds + 5.0
        threads = [
            threading.Thread(target=WAYS[name], args=(base, ends_at), daemon=True)
            for name, _, base in bases
            if name in WAYS
        ]
        for thread in threads:
            thread.start()
        time.sleep(max(0.0, ends_at + 10.0 - time.monotonic()))
        tell(
            [
                result_of(name, base, latency_seconds=latency, seconds=options.seconds)
                for name, latency, base in bases
            ]
        )


if __name__ == "__main__":
    main()
