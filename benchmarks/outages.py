"""What does the API see on its bad days, and what do they cost?

Each bad day has a sandbox of its own, with the whole chain in it; all of them run at once. Usage:

    python benchmarks/outages.py [--day storm outage crowd bad-order credential]

    storm       60 s of 429 with Retry-After 5, at 1/s
    outage      10 minutes of 503, at 1/s
    crowd       45 s of 503 while 12,000 orders wait, at 100/s
    bad-order   one order always gets 500, at 1/s
    credential  every order gets 401 for a minute, at 1/s

Judged by the API's own log and the ledger; exits 1 where a figure is not good.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import requests

from benchmarks.chain import Chain, chain, request_log

OK = 200
LIMIT_SECONDS = 30.0
OVER_SECONDS = 900.0
WARM_ORDERS = 10
ASKED_SECONDS = 5.0
BAD_ORDER = "order-0000020"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, and between which values it is as promised."""

    day: str
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
        return f"{self.day:<12}{self.what:<52}{self.value:>10,.5g}  {verdict}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the API received, in order of arrival, and what the ledger says in the end."""

    times: Sequence[float]
    statuses: Sequence[int]
    orders: Sequence[str]
    upload: dict[str, Any]

    def between(self, begin: float, end: float) -> list[float]:
        """When requests arrived in a span of time, in seconds."""
        return [t for t in self.times if begin <= t < end]

    def first_accepted(self, after: float) -> float:
        """When the first request arrived that was accepted after a moment."""
        pairs = zip(self.times, self.statuses, strict=True)
        return next(t for t, status in pairs if status == OK and t > after)

    @property
    def accepted(self) -> Counter[str]:
        """How often each order was accepted."""
        pairs = zip(self.orders, self.statuses, strict=True)
        return Counter(order for order, status in pairs if status == OK)


class Day:
    """A sandbox with an upload, and the API's faults."""

    def __init__(self, sandbox: Chain, orders: int) -> None:
        """Upload so many orders and wait until sending is under way."""
        self.sandbox = sandbox
        self.orders = orders
        sandbox.upload(orders)
        sandbox.wait_for(WARM_ORDERS, limit_seconds=LIMIT_SECONDS * 4)

    def fault(self, **fault: Any) -> float:  # noqa: ANN401 - what the sandbox's API takes
        """Let the API misbehave from now on; returns now, in seconds of its log."""
        self._ask("POST", "faults", fault)
        return time.monotonic()

    def heal(self) -> float:
        """Let the API be well again; returns now, in seconds of its log."""
        self._ask("DELETE", "faults", None)
        return time.monotonic()

    def sending(self) -> dict[str, str]:
        """State and reason of sending, as `orders status` has them."""
        return dict(self._status()["sending"])

    def until_over(self) -> Seen:
        """Wait until nothing is left to send."""
        deadline = time.monotonic() + OVER_SECONDS
        while True:
            [upload] = self._status()["uploads"]
            if upload["state"].startswith("done"):
                return self._seen(upload)
            if time.monotonic() > deadline:
                raise SystemExit(f"it is not over after {OVER_SECONDS} s: {upload}")
            time.sleep(1.0)

    def _seen(self, upload: dict[str, Any]) -> Seen:
        log: list[dict[str, Any]] = request_log(self.sandbox.api)
        return Seen(
            [entry["t"] for entry in log],
            [entry["status"] for entry in log],
            [entry["order_id"] for entry in log],
            upload,
        )

    def _status(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "orders_cli.main", "status", "--json"]
        environment = dict(self.sandbox.environment)
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        return dict(json.loads(done.stdout))

    def _ask(self, method: str, what: str, body: dict[str, Any] | None) -> None:
        url = f"{self.sandbox.api}/_sandbox/{what}"
        requests.request(method, url, json=body, timeout=LIMIT_SECONDS).raise_for_status()


def storm() -> list[Figure]:
    """The API says to wait 5 s, for a minute."""
    with chain(["--rate", "1/s"]) as sandbox:
        day = Day(sandbox, 60)
        begin = day.fault(kind="status", status=429, retry_after="5")
        time.sleep(60.0)
        end = day.heal()
        seen = day.until_over()
    times = seen.between(begin, end)
    gaps = [after - before for before, after in pairwise(times)]
    return [
        Figure("storm", "requests in 60 s", len(times), most=13),
        Figure("storm", "smallest gap between them, s", min(gaps), least=0.99 * ASKED_SECONDS),
        *_nothing_lost("storm", seen, day.orders),
    ]


def outage() -> list[Figure]:
    """The API is down for ten minutes."""
    with chain(["--rate", "1/s"]) as sandbox:
        day = Day(sandbox, 130)
        begin = day.fault(kind="status", status=503)
        time.sleep(600.0)
        end = day.heal()
        seen = day.until_over()
    recovery = seen.first_accepted(end) - end
    minute = len(seen.between(end + 6.0, end + 66.0))
    return [
        Figure("outage", "requests in 10 minutes", len(seen.between(begin, end)), most=150),
        Figure("outage", "first accepted after it, s", recovery, most=6.0),
        Figure("outage", "requests in the minute from 6 s after it on", minute, least=59),
        *_nothing_lost("outage", seen, day.orders),
    ]


def crowd() -> list[Figure]:
    """The API is down for 45 s while 12,000 orders wait."""
    with chain(["--rate", "100/s", "--api-rate", "none"]) as sandbox:
        day = Day(sandbox, 12_000)
        begin = day.fault(kind="status", status=503)
        time.sleep(45.0)
        end = day.heal()
        seen = day.until_over()
    return [
        Figure("crowd", "requests in 45 s", len(seen.between(begin, end)), most=40),
        Figure("crowd", "first accepted after it, s", seen.first_accepted(end) - end, most=6.0),
        *_nothing_lost("crowd", seen, day.orders),
    ]


def bad_order() -> list[Figure]:
    """One order among good ones always gets 500."""
    with chain(["--rate", "1/s"]) as sandbox:
        day = Day(sandbox, 90)
        day.fault(kind="status", status=500, order_id=BAD_ORDER)
        seen = day.until_over()
    pairs = zip(seen.times, seen.orders, strict=True)
    tried = [t for t, order in pairs if order == BAD_ORDER]
    meanwhile = len(seen.between(tried[0], tried[0] + 60.0)) - len(tried)
    return [
        Figure("bad-order", "attempts of it", len(tried)),
        Figure("bad-order", "seconds from its first to its last", tried[-1] - tried[0]),
        Figure("bad-order", "other requests in the minute after its first", meanwhile, least=40),
        Figure("bad-order", "refused", seen.upload["refused"], least=1, most=1),
        Figure("bad-order", "accepted, of 89", len(seen.accepted), least=89, most=89),
        Figure("bad-order", "... by the ledger", seen.upload["accepted"], least=89, most=89),
    ]


def credential() -> list[Figure]:
    """The API takes no credential for a minute."""
    with chain(["--rate", "1/s"]) as sandbox:
        day = Day(sandbox, 60)
        begin = day.fault(kind="status", status=401)
        time.sleep(15.0)
        is_told = day.sending()["state"] == "blocked"
        time.sleep(45.0)
        end = day.heal()
        seen = day.until_over()
    early = len(seen.between(begin, begin + 10.0))
    recovery = seen.first_accepted(end) - end
    return [
        Figure("credential", "requests in its first 10 s", early, most=3),
        Figure("credential", "told as blocked meanwhile (1: yes)", is_told, least=1),
        Figure("credential", "first accepted after it, s", recovery, most=31.0),
        *_nothing_lost("credential", seen, day.orders),
    ]


DAYS: dict[str, Callable[[], list[Figure]]] = {
    "storm": storm,
    "outage": outage,
    "crowd": crowd,
    "bad-order": bad_order,
    "credential": credential,
}


def _nothing_lost(day: str, seen: Seen, orders: int) -> list[Figure]:
    accepted = seen.accepted
    lost = orders - min(len(accepted), seen.upload["accepted"])
    return [
        Figure(day, f"lost, of {orders:,}", lost, most=0),
        Figure(day, "repeats", accepted.total() - len(accepted), most=0),
    ]


def run(day: str) -> list[Figure]:
    """One bad day."""
    return DAYS[day]()


def main() -> int:
    """Run the days beside each other and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--day", nargs="+", choices=list(DAYS), default=list(DAYS))
    days = parser.parse_args().day
    with ProcessPoolExecutor(max_workers=len(days)) as pool:
        figures = [figure for found in pool.map(run, days) for figure in found]
    for figure in figures:
        print(figure)
    return 0 if all(figure.is_good for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
