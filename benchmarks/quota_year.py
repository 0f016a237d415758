"""Send for a year beside a quota, turn by turn, on a simulated clock.

Three shards on three machines share the real pace item in the in-memory ledger; only time and the
requests are simulated. Usage:

    python benchmarks/quota_year.py [--quotas 5000/d 5000/24h] [--rate 6/m] [--days 365]
        [--first-day 2027-01-01]

One process for each quota; a million turns take some two minutes. The days are those of
Europe/Berlin: in 2027, 28 March has 23 hours and 31 October has 25. After every 3,600 turns the
process of a shard is killed, with the turn that it had, and another machine takes the shard over.
When a tenth of the orders is sent, the finish date is asked for.

A quota allows as many requests in each of its windows as the rate has turns there, or its count if
that is less; for a rolling quota the windows are counted from the start.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count, repeat
from random import Random
from zoneinfo import ZoneInfo

from ledger.memory.ledger import MemoryLedger
from ledger.pace.change import change
from ledger.pace.limits import Limits
from ledger.pace.reservation import Closed, Grant
from ledger.pace.steps import configure, configure_limits
from ledger.pace.turns import own, reserve
from ledger.report import LedgerView, report
from ledger.uploads.lane import Tally
from ledger.uploads.upload import LaneTail, Progress
from orders.quota import Quota, parse_quotas
from orders.rate import parse_rate
from orders.upload import upload_id
from sandbox.simulation.world import enter_upload

ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2027, 1, 1)
SHARDS = ("shardId-0", "shardId-1", "shardId-2")
ASKED_AHEAD_SECONDS = 0.3
LEAD_SECONDS = 0.01
RETENTION_SECONDS = 365 * 86_400.0
FORECAST_AT = 0.1
SHARE_LEAST = 0.99
FORECAST_MOST = 0.02
GAP_LEAST_SHARE = 0.99
PARTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of a year.

    most_in_window: the most requests in a calendar window, or in any time of a rolling one's
    length. share: the part of the allowed that was used. foretold, took: the seconds from the
    moment of the forecast to the last order.
    """

    quota: Quota
    orders: int
    days: float
    kills: int
    most_in_window: int
    smallest_gap: float
    interval: float
    share: float
    foretold: float
    took: float
    real_seconds: float

    @property
    def forecast_error(self) -> float:
        """How far off the finish date was, as a part of the time that was left."""
        return abs(self.foretold - self.took) / self.took

    @property
    def is_good(self) -> bool:
        """Is it as promised?"""
        return (
            self.most_in_window <= self.quota.count
            and self.smallest_gap >= GAP_LEAST_SHARE * self.interval
            and self.share >= SHARE_LEAST
            and self.forecast_error <= FORECAST_MOST
        )

    def __str__(self) -> str:
        return (
            f"{self.quota}: {self.orders:,} orders in {self.days:.2f} days, {self.kills:,} kills; "
            f"at most {self.most_in_window:,} in a window, smallest gap {self.smallest_gap:.4f} s; "
            f"{self.share:.3%} of the allowed used; at {FORECAST_AT:.0%} the finish date was "
            f"{self.forecast_error:.3%} off; {self.real_seconds:.0f} s of real time"
        )


class Year:
    """Orders that are sent beside a quota, by shard processes that are killed now and then."""

    def __init__(  # noqa: PLR0913 - all of it named
        self,
        quota: str,
        rate: str,
        days: int,
        *,
        first_day: date = FIRST_DAY,
        turns_between_kills: int,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.tell = tell
        (self.quota,) = parse_quotas(quota)
        self.interval = parse_rate(rate).interval_seconds
        self.start = midnight(first_day)
        self.turns_between_kills = turns_between_kills
        self.kills = 0
        self.ledger = MemoryLedger()
        self.now = self.start
        self.first_day = first_day
        windows = self._windows()
        self.orders = sum(self._allowed(*next(windows)) for _ in range(days))
        self._random = Random(days)  # noqa: S311 - the same in every run
        self._tokens = {shard: f"host{number}-0" for number, shard in enumerate(SHARDS)}
        limits = Limits(quota, "", str(ZONE))
        change(
            self.ledger,
            lambda pace: configure_limits(
                configure(pace, rate, now=self.start), limits, now=self.start
            ),
        )
        for shard in SHARDS:
            self._own(shard)

    def run(self) -> Result:
        """Send all of it, and count as the API would."""
        began = time.monotonic()
        starts = self._starts()
        most_allowed, ring = self.quota.count, [0.0] * self.quota.count
        ends = self._windows()
        window_start, window_end = next(ends)
        in_window = most = allowed = 0
        gap, last = float("inf"), float("-inf")
        foretold = asked_at = 0.0
        for sent in range(self.orders):
            at = next(starts)
            gap, last = min(gap, at - last), at
            while at >= window_end:
                allowed += self._allowed(window_start, window_end)
                window_start, window_end = next(ends)
                in_window = 0
            in_window += 1
            if not self.quota.is_rolling:
                most = max(most, in_window)
            elif sent >= most_allowed and at - ring[sent % most_allowed] < self.quota.seconds:
                most = most_allowed + 1
            else:
                most = max(most, min(sent + 1, most_allowed))
            ring[sent % most_allowed] = at
            if (sent + 1) % (self.orders // PARTS_SHOWN) == 0:
                said = f"{self.quota}: {sent + 1:,} sent, at most {most:,} in a window\n"
                self.tell(said)
            if sent + 1 == int(self.orders * FORECAST_AT):
                foretold, asked_at = self._foretold(self.orders - sent - 1), self.now
        allowed += min(self.quota.count, int((last - window_start) / self.interval) + 1)
        return Result(
            quota=self.quota,
            orders=self.orders,
            days=(last - self.start) / 86_400,
            kills=self.kills,
            most_in_window=most,
            smallest_gap=gap,
            interval=self.interval,
            share=self.orders / allowed,
            foretold=foretold,
            took=last - asked_at,
            real_seconds=time.monotonic() - began,
        )

    def _starts(self) -> Iterator[float]:
        """The starts of requests, for as long as they are asked for."""
        turns = 0
        while True:
            shard = self._random.choice(SHARDS)
            pace = self.ledger.read_pace()
            self.now = max(self.now, pace.next_free - ASKED_AHEAD_SECONDS)
            new, got = reserve(
                pace,
                shard=shard,
                token=self._tokens[shard],
                wanted=1,
                now=self.now,
                lead_seconds=LEAD_SECONDS,
            )
            if isinstance(got, Closed) and got.until is not None:
                self.now = got.until - ASKED_AHEAD_SECONDS
                continue
            if not isinstance(got, Grant) or not self.ledger.swap_pace(pace, new):
                raise SystemExit(f"{shard} got no turn: {got}")
            turns += 1
            if turns % self.turns_between_kills:
                yield from got.turns
            else:
                self._kill(shard)

    def _kill(self, shard: str) -> None:
        """Its process dies with the turn that it has."""
        self.kills += 1
        self._tokens[shard] = f"host{len(SHARDS) + self.kills}-0"
        self._own(shard)

    def _own(self, shard: str) -> None:
        change(self.ledger, lambda pace: own(pace, shard, self._tokens[shard], now=self.now))

    def _windows(self) -> Iterator[tuple[float, float]]:
        """The windows of a day or a rolling quota, without the product's code."""
        for number in count():
            if self.quota.is_rolling:
                start = self.start + number * self.quota.seconds
                yield start, start + self.quota.seconds
            else:
                day = self.first_day + timedelta(days=number)
                yield midnight(day), midnight(day + timedelta(days=1))

    def _allowed(self, start: float, end: float) -> int:
        return min(self.quota.count, int((end - start) / self.interval))

    def _foretold(self, left: int) -> float:
        """What the status says with so many orders left."""
        shown, upload = MemoryLedger(), upload_id("bucket", "a year's orders", "1")
        progress = Progress(line=left, enqueued=left, tails=(LaneTail(left, left),))
        enter_upload(shown, upload, progress)
        view = LedgerView(tuple(shown.open_accounts()), Tally(), self.ledger.read_pace(), ())
        status = report(view, retention_seconds=RETENTION_SECONDS, now=self.now)
        if status.estimate.seconds is None:
            raise SystemExit(f"there is no finish date: {status.estimate.reason}")
        return status.estimate.seconds


def midnight(day: date) -> float:
    """When a day begins."""
    return datetime.combine(day, datetime.min.time(), ZONE).timestamp()


def year(quota: str, rate: str, days: int, first_day: date) -> Result:
    """One year, from the first to the last order."""
    simulated = Year(
        quota,
        rate,
        days,
        first_day=first_day,
        turns_between_kills=3_600,
        tell=sys.stderr.write,
    )
    return simulated.run()


def main() -> int:
    """Run the years in parallel and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quotas", nargs="+", default=["5000/d", "5000/24h"])
    parser.add_argument("--rate", default="6/m")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--first-day", type=date.fromisoformat, default=FIRST_DAY)
    options = parser.parse_args()
    with ProcessPoolExecutor(max_workers=2) as pool:
        same = (repeat(one) for one in (options.rate, options.days, options.first_day))
        results = pool.map(year, options.quotas, *same)
        is_good = True
        for result in results:
            print(result, flush=True)
            is_good = is_good and result.is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
