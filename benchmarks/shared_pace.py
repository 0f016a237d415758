"""How much of one pace do several shards and workers use together?

The whole chain in the sandbox, with its own API. An order's lane is drawn by its id, and there are
eight lanes, so every shard has orders all the time.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.chain import Chain, accepted_times, chain, consumers, request_log, slow_down

RATES = (1, 4, 20, 50)
SHARDS = (1, 2, 4)
LANES = 8
LATENCY_SECONDS = 0.05
SETTLING_SECONDS = 5.0
"""What comes first is the start of the chain, not the pace."""
GAP_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Shared:
    """What the API saw. The share is of the turns between the first and the last order."""

    rate: int
    shards: int
    workers: int
    share: float
    smallest_gap: float
    close: int
    refused: int

    def __str__(self) -> str:
        return (
            f"{self.rate:>4}/s{self.shards:>8}{self.workers:>9}{self.share:>12.2%}"
            f"{self.smallest_gap * self.rate:>14.4f}{self.close:>12}{self.refused:>5}"
        )


HEAD = (
    f"{'rate':>6}{'shards':>8}{'workers':>9}{'turns used':>12}{'smallest gap':>14}"
    f"{'below 0.99':>12}{'429':>5}"
)


def measure(rate: int, *, shards: int, workers: int, seconds: float) -> Shared:
    """Send at a rate for so many seconds, and judge by the API's log. Gaps are in intervals."""
    options = ["--rate", f"{rate}/s", "--shards", str(shards)]
    settings = {"ORDERS_LANES": str(LANES)}
    with ExitStack() as stack:
        if workers == 1:
            sandbox = stack.enter_context(chain(options, **settings))
        else:
            settings["ORDERS_WORKERS"] = str(workers)
            sandbox = stack.enter_context(chain([*options, "--no-consumer"], **settings))
            stack.enter_context(consumers(sandbox, workers))
        slow_down(sandbox.api, LATENCY_SECONDS)
        sandbox.upload(int(rate * (seconds + 4 * SETTLING_SECONDS)))
        return _judged(sandbox, rate, shards=shards, workers=workers, seconds=seconds)


def _judged(sandbox: Chain, rate: int, *, shards: int, workers: int, seconds: float) -> Shared:
    sandbox.wait_for(1, limit_seconds=120.0)
    time.sleep(seconds + SETTLING_SECONDS)
    log = request_log(sandbox.api)
    accepted = accepted_times(log)
    begin = accepted[0] + SETTLING_SECONDS
    times = [t for t in accepted if begin <= t <= begin + seconds]
    arrivals = [t for e in log if begin <= (t := float(str(e["t"]))) <= begin + seconds]
    gaps = [after - before for before, after in pairwise(arrivals)]
    return Shared(
        rate,
        shards,
        workers,
        share=(len(times) - 1) / rate / (times[-1] - times[0]),
        smallest_gap=min(gaps),
        close=sum(gap < GAP_SHARE / rate for gap in gaps),
        refused=sum(e["status"] == 429 for e in log),  # noqa: PLR2004 - Too Many Requests
    )
