"""How much of an allowed rate is used, and how even are the requests?

Ours is the whole chain in the sandbox; beside it, at the same time, the usual ways to send at a
fixed rate, each at an API of its own that enforces the interval with 20 ms tolerance. Usage:

    python benchmarks/pacing.py [--parts latency jitter shards] [--seconds 180] [--latency 0.15 2.5]

Three parts, one after the other: APIs that answer after so long; paths that hold each request for a
random time, and are quiet after a while; one to four shards, and two workers, at 1 to 50/s.

A way uses every allowed turn if the API accepts one request for each second between its first and
its last; what it refuses with 429 is counted beside it. On a path that jitters by a width, requests
are never refused if they are sent that width less the API's tolerance further apart than a second;
"of what it allows" compares with that.
"""

import argparse
import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, pairwise

import requests
from aiolimiter import AsyncLimiter

from benchmarks.api_client import BODY, FIELDS, LIMIT_SECONDS, sandbox_api
from benchmarks.chain import Chain, chain, consumers, request_log, slow_down
from benchmarks.shared_pace import HEAD, RATES, SHARDS, measure

INTERVAL_SECONDS = 1.0
OK, TOO_MANY = 200, 429
TOLERANCE_SECONDS = 0.02
LEARNING_SECONDS = 60.0
"""Of a path that jitters, what comes before is not looked at: the ways may learn it."""
QUIET_SECONDS = 180.0
"""After a path became quiet, a way has so long until all turns are to be used again."""
JITTER_SECONDS = 240.0
LAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """What the API saw of one way to send in a span of time. Gaps are seconds."""

    share: float
    smallest_gap: float
    requests: int
    refused: int


@dataclass(frozen=True, slots=True)
class Run:
    """A way to send that is at work.

    setting: the latency or the width of the jitter, in seconds. api: where its log is.
    """

    name: str
    setting: float
    api: str


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


def result_of(log: Sequence[dict[str, object]], *, begin: float, end: float) -> Result:
    """Judge a span of time of the API's log; the moments count from the first accepted request."""
    first = next(float(str(entry["t"])) for entry in log if entry["status"] == OK)
    begin, end = first + begin, first + end
    seen = [entry for entry in log if begin <= float(str(entry["t"])) <= end]
    arrivals = [float(str(entry["t"])) for entry in seen]
    times = [float(str(entry["t"])) for entry in seen if entry["status"] == OK]
    return Result(
        share=(len(times) - 1) * INTERVAL_SECONDS / (times[-1] - times[0]),
        smallest_gap=min(after - before for before, after in pairwise(arrivals)),
        requests=len(seen),
        refused=sum(1 for entry in seen if entry["status"] == TOO_MANY),
    )


def send_until(runs: Sequence[tuple[str, str]], ends_at: float) -> None:
    """Let each of the usual ways send to its address, and wait for the end."""
    threads = [
        threading.Thread(target=WAYS[way], args=(base, ends_at), daemon=True) for way, base in runs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ends_at - time.monotonic() + LIMIT_SECONDS)  # their last calls, too


def at_latencies(latencies: Sequence[float], seconds: float) -> None:
    """Every way at every latency, at once."""
    with ExitStack() as stack:
        runs: list[Run] = []
        for latency in latencies:
            sandbox = stack.enter_context(chain(["--rate", "1/s"]))
            slow_down(sandbox.api, latency)
            runs.append(Run("ours", latency, sandbox.api))
            sandbox.upload(int(seconds) + 30)
            for name in WAYS:
                base = stack.enter_context(sandbox_api("1/s"))
                slow_down(base, latency)
                runs.append(Run(name, latency, base))
        usual = [(run.name, run.api) for run in runs if run.name in WAYS]
        send_until(usual, time.monotonic() + seconds + 15.0)
        print(f"{'way':<22}{'latency':>9}{'turns used':>12}{'smallest gap':>14}{'429':>5}")
        for run in runs:
            result = result_of(request_log(run.api), begin=0.0, end=seconds)
            print(
                f"{run.name:<22}{run.setting:>7.2f} s{result.share:>12.2%}"
                f"{result.smallest_gap:>12.3f} s{result.refused:>5}"
            )


@contextmanager
def jittery_path(api: str, width: float, seconds: float) -> Iterator[str]:
    """A path to an API that holds each request; its address, as the API's own is written."""
    command = [sys.executable, "-m", "benchmarks.jittery_path", "--to", api.partition("//")[2]]
    command += ["--width", str(width), "--seconds", str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def our_consumer(stack: ExitStack, width: float) -> Chain:
    """Our chain, whose consumer reaches its API by a path that jitters."""
    sandbox = stack.enter_context(chain(["--rate", "1/s", "--no-consumer"]))
    path = stack.enter_context(jittery_path(sandbox.api, width, JITTER_SECONDS))
    sandbox.upload(int(JITTER_SECONDS + QUIET_SECONDS + LAST_SECONDS) + 60)
    stack.enter_context(consumers(sandbox, 1, ORDERS_API_URL=f"{path}/orders/{{order_id}}"))
    return sandbox


def on_paths(widths: Sequence[float]) -> None:
    """Every way on every path, at once: while it jitters, and once it is quiet."""
    names = ("sleep the remainder", "aiolimiter")
    with ExitStack() as stack:
        runs: list[Run] = []
        usual: list[tuple[str, str]] = []
        for width in widths:
            runs.append(Run("ours", width, our_consumer(stack, width).api))
            for name in names:
                base = stack.enter_context(sandbox_api("1/s"))
                runs.append(Run(name, width, base))
                usual.append((name, stack.enter_context(jittery_path(base, width, JITTER_SECONDS))))
        quiet_from = JITTER_SECONDS + QUIET_SECONDS
        send_until(usual, time.monotonic() + quiet_from + LAST_SECONDS + 20.0)
        print(
            f"{'way':<22}{'jitter':>9}{'turns used':>12}{'of what it allows':>19}{'refused':>9}"
            f"{'used once quiet':>17}"
        )
        for run in runs:
            log = request_log(run.api)
            jittery = result_of(log, begin=LEARNING_SECONDS, end=JITTER_SECONDS)
            quiet = result_of(log, begin=quiet_from, end=quiet_from + LAST_SECONDS)
            allowed = 1.0 / (1.0 + max(run.setting - TOLERANCE_SECONDS, 0.0))
            print(
                f"{run.name:<22}{run.setting * 1000:>6.0f} ms{jittery.share:>12.2%}"
                f"{jittery.share / allowed:>19.2%}{jittery.refused / jittery.requests:>9.2%}"
                f"{quiet.share:>17.2%}"
            )


def over_shards(seconds: float) -> None:
    """One to four shards, and two workers, at each rate, one after the other."""
    print(HEAD)
    for rate in RATES:
        for shards, workers in (*((shards, 1) for shards in SHARDS), (2, 2)):
            print(measure(rate, shards=shards, workers=workers, seconds=seconds), flush=True)


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
        over_shards(options.shard_seconds)


if __name__ == "__main__":
    main()
