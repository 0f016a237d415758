"""How much of a rate limit is used, and how evenly are the requests spaced?

Ours is the whole chain in the sandbox; beside it, at the same time, the usual ways to send at a
fixed rate, each to an API of its own that enforces the interval with 20 ms tolerance. Usage:

    python benchmarks/pacing.py [--parts latency jitter shards] [--seconds 180] [--latency 0.15 2.5]

Three parts, one after the other: APIs that answer late; network paths that delay each request by a
random time, and stop doing so after a while; one to four shards, and two workers, at 1 to 50/s.

All turns are used if the API accepts one request for each second between the first and the last;
those that it answers with 429 are counted as well. On a path that jitters by some width, requests
are never refused if they are sent further apart than a second by that width less the API's
tolerance; "of what it allows" compares with that.
"""

import argparse
import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

import requests
from aiolimiter import AsyncLimiter

from benchmarks.api_client import BODY, FIELDS
from benchmarks.chain import (
    LIMIT_SECONDS,
    Chain,
    chain,
    consumers,
    program,
    request_log,
    sandbox_api,
    slow_down,
)
from benchmarks.usage import TOO_MANY_REQUESTS, usage

INTERVAL_SECONDS = 1.0
TOLERANCE_SECONDS = 0.02
JITTER_SECONDS = 240.0
LEARNING_SECONDS = 60.0
"""The start of a path with jitter is not judged: the senders may learn about it."""
QUIET_SECONDS = 180.0
"""After the jitter has stopped, a sender has this long until it must use all turns again."""
LAST_SECONDS = 60.0
SHARD_RATES = (1, 4, 20, 50)
SHARDS_AND_WORKERS = ((1, 1), (2, 1), (4, 1), (2, 2))
LANES = 8
"""So many that every shard has orders all the time."""
SHARD_LATENCY_SECONDS = 0.05
START_SECONDS = 5.0
"""Not judged in the part `shards`: the start of the chain."""


@dataclass(frozen=True, slots=True)
class Run:
    """A sender at work: the latency or jitter in seconds, and the API that has its log."""

    name: str
    setting: float
    api: str


def put(base: str, number: int) -> None:
    """Send one order, whatever the answer."""
    requests.put(f"{base}/orders/o-{number}", BODY, headers=FIELDS, timeout=LIMIT_SECONDS)


def sleep_after_call(base: str, ends_at: float) -> None:
    """Call, then sleep for the interval."""
    for number in count():
        if time.monotonic() >= ends_at:
            return
        put(base, number)
        time.sleep(INTERVAL_SECONDS)


def sleep_the_remainder(base: str, ends_at: float) -> None:
    """Call, then sleep for the rest of the interval."""
    for number in count():
        started_at = time.monotonic()
        if started_at >= ends_at:
            return
        put(base, number)
        time.sleep(max(0.0, started_at + INTERVAL_SECONDS - time.monotonic()))


def with_aiolimiter(base: str, ends_at: float) -> None:
    """One permit an interval, with concurrent calls."""

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


USUAL: dict[str, Callable[[str, float], None]] = {
    "sleep after the call": sleep_after_call,
    "sleep the remainder": sleep_the_remainder,
    "aiolimiter": with_aiolimiter,
}


def send_until(senders: Sequence[tuple[str, str]], ends_at: float) -> None:
    """Run the usual senders, each given as its name and an address, to the end."""
    threads = [
        threading.Thread(target=USUAL[name], args=(base, ends_at), daemon=True)
        for name, base in senders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ends_at - time.monotonic() + LIMIT_SECONDS)  # including their last calls


def at_latencies(latencies: Sequence[float], seconds: float) -> None:
    """All senders at all latencies, at once."""
    with ExitStack() as stack:
        runs: list[Run] = []
        for latency in latencies:
            sandbox = stack.enter_context(chain(["--rate", "1/s"]))
            slow_down(sandbox.api, latency)
            sandbox.upload(int(seconds) + 30)
            runs.append(Run("ours", latency, sandbox.api))
            for name in USUAL:
                base = stack.enter_context(sandbox_api("1/s", latency))
                runs.append(Run(name, latency, base))
        usual = [(run.name, run.api) for run in runs if run.name in USUAL]
        send_until(usual, time.monotonic() + seconds + 15.0)
        print(f"{'way':<22}{'latency':>9}{'turns used':>12}{'smallest gap':>14}{'429':>5}")
        for run in runs:
            used = usage(request_log(run.api), INTERVAL_SECONDS, begin=0.0, end=seconds)
            print(
                f"{run.name:<22}{run.setting:>7.2f} s{used.share:>12.2%}"
                f"{used.smallest_gap:>12.3f} s{used.refused:>5}"
            )


def jittery_path(stack: ExitStack, api: str, width: float) -> str:
    """A path to an API that delays requests; its address, in the form of the API's own."""
    address = api.partition("//")[2]
    options = ("--to", address, "--width", str(width), "--seconds", str(JITTER_SECONDS))
    port = stack.enter_context(program("benchmarks.jittery_path", *options))
    return f"http://127.0.0.1:{port}"


def our_consumer(stack: ExitStack, width: float) -> Chain:
    """Our chain, whose consumer reaches its API through a path with jitter."""
    sandbox = stack.enter_context(chain(["--rate", "1/s", "--no-consumer"]))
    path = jittery_path(stack, sandbox.api, width)
    sandbox.upload(int(JITTER_SECONDS + QUIET_SECONDS + LAST_SECONDS) + 60)
    stack.enter_context(consumers(sandbox, 1, ORDERS_API_URL=f"{path}/orders/{{order_id}}"))
    return sandbox


def on_paths(widths: Sequence[float]) -> None:
    """All senders on all paths, at once: while they jitter, and once they have stopped."""
    with ExitStack() as stack:
        runs: list[Run] = []
        usual: list[tuple[str, str]] = []
        for width in widths:
            runs.append(Run("ours", width, our_consumer(stack, width).api))
            for name in ("sleep the remainder", "aiolimiter"):
                base = stack.enter_context(sandbox_api("1/s"))
                runs.append(Run(name, width, base))
                usual.append((name, jittery_path(stack, base, width)))
        quiet_from = JITTER_SECONDS + QUIET_SECONDS
        send_until(usual, time.monotonic() + quiet_from + LAST_SECONDS + 20.0)
        print(
            f"{'way':<22}{'jitter':>9}{'turns used':>12}{'of what it allows':>19}{'refused':>9}"
            f"{'used once quiet':>17}"
        )
        for run in runs:
            log = request_log(run.api)
            jittery = usage(log, INTERVAL_SECONDS, begin=LEARNING_SECONDS, end=JITTER_SECONDS)
            quiet = usage(log, INTERVAL_SECONDS, begin=quiet_from, end=quiet_from + LAST_SECONDS)
            allowed = 1.0 / (1.0 + max(run.setting - TOLERANCE_SECONDS, 0.0))
            print(
                f"{run.name:<22}{run.setting * 1000:>6.0f} ms{jittery.share:>12.2%}"
                f"{jittery.share / allowed:>19.2%}{jittery.refused / jittery.requests:>9.2%}"
                f"{quiet.share:>17.2%}"
            )


def over_shards(rate: int, *, shards: int, workers: int, seconds: float) -> str:
    """Our chain with these shards and workers, as a row of the table; gaps are in intervals."""
    options = ["--rate", f"{rate}/s", "--shards", str(shards)]
    settings = {"ORDERS_LANES": str(LANES), "ORDERS_WORKERS": str(workers)}
    with ExitStack() as stack:
        alone = [] if workers == 1 else ["--no-consumer"]
        sandbox = stack.enter_context(chain([*options, *alone], **settings))
        stack.enter_context(consumers(sandbox, workers if alone else 0))
        slow_down(sandbox.api, SHARD_LATENCY_SECONDS)
        sandbox.upload(int(rate * (seconds + 4 * START_SECONDS)))
        sandbox.wait_for(1, limit_seconds=120.0)
        time.sleep(seconds + START_SECONDS)
        log = request_log(sandbox.api)
    used = usage(log, 1.0 / rate, begin=START_SECONDS, end=START_SECONDS + seconds)
    refused = sum(request.status == TOO_MANY_REQUESTS for request in log)
    return (
        f"{rate:>4}/s{shards:>8}{workers:>9}{used.share:>12.2%}{used.smallest_gap * rate:>14.4f}"
        f"{used.close:>12}{refused:>5}"
    )


def main() -> None:
    """Run the parts that are asked for, and judge each by its APIs' logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", default=["latency", "jitter", "shards"])
    parser.add_argument("--seconds", type=float, default=180.0, help="for each latency")
    parser.add_argument("--latency", type=float, nargs="+", default=[0.15, 2.5], help="seconds")
    parser.add_argument("--jitter", type=float, nargs="+", default=[0.02, 0.06, 0.2])
    parser.add_argument("--shard-seconds", type=float, default=45.0, help="for each row of shards")
    options = parser.parse_args()
    if "latency" in options.parts:
        at_latencies(options.latency, options.seconds)
    if "jitter" in options.parts:
        on_paths(options.jitter)
    if "shards" in options.parts:
        print(
            f"{'rate':>6}{'shards':>8}{'workers':>9}{'turns used':>12}{'smallest gap':>14}"
            f"{'below 0.99':>12}{'429':>5}"
        )
        for rate in SHARD_RATES:
            for shards, workers in SHARDS_AND_WORKERS:
                seconds = options.shard_seconds
                print(
                    over_shards(rate, shards=shards, workers=workers, seconds=seconds), flush=True
                )


if __name__ == "__main__":
    main()
