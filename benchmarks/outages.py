"""What does the API see on bad days, and what do they cost?

Each bad day has a sandbox of its own, with the whole chain in it; all of them run at once. Usage:

    python benchmarks/outages.py [--day storm outage crowd bad-order credential]

    storm       60 s of 429 with Retry-After 5, at 1/s
    outage      10 minutes of 503, at 1/s
    crowd       45 s of 503 while 12,000 orders wait, at 100/s
    bad-order   one order always gets 500, at 1/s
    credential  every order gets 401 for a minute, at 1/s

Judged by the API's own log and the ledger; exit code 1 if a figure is not as promised.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import requests

from benchmarks.chain import LIMIT_SECONDS, Chain, chain, request_log
from sandbox.judge.observations import Request

END_SECONDS = 900.0
WARM_ORDERS = 10
RETRY_AFTER_SECONDS = 5.0
BAD_ORDER = "ORD-000000020"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, and the range in which it is as promised."""

    what: str
    value: float
    least: float = 0.0
    most: float = float("inf")

    @property
    def is_good(self) -> bool:
        """Is it as promised?"""
        return self.least <= self.value <= self.most

    def __str__(self) -> str:
        verdict = "as promised" if self.is_good else "NOT AS PROMISED"
        return f"{self.what:<52}{self.value:>10,.5g}  {verdict}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the API received by the end of a day, and what `orders status` says of the upload."""

    log: Sequence[Request]
    upload: dict[str, Any]

    @property
    def accepted(self) -> Counter[str]:
        """How often each order was accepted."""
        return Counter(request.order_id for request in self.log if request.is_accepted)

    def between(self, begin: float, end: float) -> list[float]:
        """The times of the requests in a span of time, in seconds."""
        return [request.t for request in self.log if begin <= request.t < end]

    def recovery_seconds(self, end: float) -> float:
        """From the end of the trouble to the first request that was accepted."""
        return next(r.t for r in self.log if r.is_accepted and r.t > end) - end

    def nothing_lost(self, orders: int) -> list[Figure]:
        """Every order was accepted, by the log and by the ledger, and only once."""
        accepted = self.accepted
        lost = orders - min(len(accepted), self.upload["accepted"])
        return [
            Figure(f"lost, of {orders:,}", lost, most=0),
            Figure("repeats", accepted.total() - len(accepted), most=0),
        ]


@dataclass(frozen=True, slots=True)
class Day:
    """A sandbox that is sending an upload. Times are seconds of the API's log."""

    sandbox: Chain

    def fault(self, **fault: object) -> float:
        """Make the API misbehave from now on; returns the time."""
        url = f"{self.sandbox.api}/_sandbox/faults"
        requests.post(url, json=fault, timeout=LIMIT_SECONDS).raise_for_status()
        return time.monotonic()

    def heal(self) -> float:
        """End the API's faults; returns the time."""
        url = f"{self.sandbox.api}/_sandbox/faults"
        requests.delete(url, timeout=LIMIT_SECONDS).raise_for_status()
        return time.monotonic()

    def status(self) -> dict[str, Any]:
        """The answer of `orders status`."""
        return dict(json.loads(self.sandbox.orders("status", "--json")))

    def outcome(self) -> Outcome:
        """Wait until nothing is left to send."""
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            [upload] = self.status()["uploads"]
            if upload["state"].startswith("done"):
                return Outcome(request_log(self.sandbox.api), upload)
            time.sleep(1.0)
        raise SystemExit(f"orders are left after {END_SECONDS} s: {self.status()}")


@contextmanager
def day(orders: int, *options: str) -> Iterator[Day]:
    """A sandbox with these options that has begun to send this many orders."""
    with chain(options or ["--rate", "1/s"]) as sandbox:
        sandbox.upload(orders)
        sandbox.wait_for(WARM_ORDERS, limit_seconds=LIMIT_SECONDS * 4)
        yield Day(sandbox)


def storm(orders: int = 60) -> list[Figure]:
    """The API says to wait 5 s, for a minute."""
    with day(orders) as today:
        begin = today.fault(kind="status", status=429, retry_after=f"{RETRY_AFTER_SECONDS:.0f}")
        time.sleep(60.0)
        end = today.heal()
        outcome = today.outcome()
    times = outcome.between(begin, end)
    smallest_gap = min(later - earlier for earlier, later in pairwise(times))
    return [
        Figure("requests in 60 s", len(times), most=13),
        Figure("smallest gap between them, s", smallest_gap, least=0.99 * RETRY_AFTER_SECONDS),
        *outcome.nothing_lost(orders),
    ]


def outage(orders: int = 130) -> list[Figure]:
    """The API is down for ten minutes."""
    with day(orders) as today:
        begin = today.fault(kind="status", status=503)
        time.sleep(600.0)
        end = today.heal()
        outcome = today.outcome()
    minute = len(outcome.between(end + 6.0, end + 66.0))
    return [
        Figure("requests in 10 minutes", len(outcome.between(begin, end)), most=150),
        Figure("first accepted after it, s", outcome.recovery_seconds(end), most=6.0),
        Figure("requests in the minute from 6 s after it", minute, least=59),
        *outcome.nothing_lost(orders),
    ]


def crowd(orders: int = 12_000) -> list[Figure]:
    """The API is down for 45 s while 12,000 orders wait."""
    with day(orders, "--rate", "100/s", "--api-rate", "none") as today:
        begin = today.fault(kind="status", status=503)
        time.sleep(45.0)
        end = today.heal()
        outcome = today.outcome()
    return [
        Figure("requests in 45 s", len(outcome.between(begin, end)), most=40),
        Figure("first accepted after it, s", outcome.recovery_seconds(end), most=6.0),
        *outcome.nothing_lost(orders),
    ]


def bad_order(orders: int = 90) -> list[Figure]:
    """One order among good ones always gets 500."""
    with day(orders) as today:
        today.fault(kind="status", status=500, order_id=BAD_ORDER)
        outcome = today.outcome()
    tried = [request.t for request in outcome.log if request.order_id == BAD_ORDER]
    others = len(outcome.between(tried[0], tried[0] + 60.0)) - len(tried)
    good, upload = orders - 1, outcome.upload
    return [
        Figure("attempts of it", len(tried)),
        Figure("seconds from its first to its last", tried[-1] - tried[0]),
        Figure("other requests in the minute after its first", others, least=40),
        Figure("refused", upload["refused"], least=1, most=1),
        Figure(f"accepted, of {good}", len(outcome.accepted), least=good, most=good),
        Figure("... by the ledger", upload["accepted"], least=good, most=good),
    ]


def credential(orders: int = 60) -> list[Figure]:
    """The API accepts no credential for a minute."""
    with day(orders) as today:
        begin = today.fault(kind="status", status=401)
        time.sleep(15.0)
        is_reported = today.status()["sending"]["state"] == "blocked"
        time.sleep(45.0)
        end = today.heal()
        outcome = today.outcome()
    return [
        Figure("requests in its first 10 s", len(outcome.between(begin, begin + 10.0)), most=3),
        Figure("reported as blocked meanwhile (1: yes)", is_reported, least=1),
        Figure("first accepted after it, s", outcome.recovery_seconds(end), most=31.0),
        *outcome.nothing_lost(orders),
    ]


DAYS: dict[str, Callable[[], list[Figure]]] = {
    "storm": storm,
    "outage": outage,
    "crowd": crowd,
    "bad-order": bad_order,
    "credential": credential,
}


def run(name: str) -> list[Figure]:
    """One bad day."""
    return DAYS[name]()


def main() -> int:
    """Run the days at once and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--day", nargs="+", choices=list(DAYS), default=list(DAYS))
    names = parser.parse_args().day
    with ProcessPoolExecutor(max_workers=len(names)) as pool:
        found = dict(zip(names, pool.map(run, names), strict=True))
    for name, figures in found.items():
        for figure in figures:
            print(f"{name:<12}{figure}")
    return 0 if all(figure.is_good for figures in found.values() for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
