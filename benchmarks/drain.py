"""Drain a stream for 11.6 days, with crashes, throttling and outages, on a simulated clock.

The real delivery, pace and settle steps use the in-memory ledger; only time, stream and API are
simulated. Usage:

    python benchmarks/drain.py [--orders 1000000] [--shards 1 4]

One process for each number of shards. The API answers after 0.15 to 3 s; once a day it answers
503 for 20 minutes, and 429 with Retry-After 5 for a minute. Every shard process is killed every
hour and starts again after 6 s.

There is an open turn for each interval in which some shard process is alive whose shard has orders
left, the API is up, and sending is not held. A killed process may have reserved turns that other
shards then cannot use; these are counted apart and subtracted.
"""

import argparse
import random
import sys
import time
from array import array
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise, repeat
from math import ceil

from consumer.delivery.attempts import Accepted, Attempt, Throttled, Unavailable
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import Entry, StreamPosition
from ledger.memory.ledger import MemoryLedger
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Pace
from ledger.uploads.upload import Account
from orders.upload import UploadId, upload_id
from sandbox.simulation.process import Process
from sandbox.simulation.timeline import Timeline
from sandbox.simulation.world import SimulatedApi, Simulation, Stream, upload_stream

START = 1_800_000_000.0
INTERVAL = 1.0
DAY, HOUR, RESTART = 86_400.0, 3_600.0, 6.0
OUTAGE_AT, OUTAGE = 3 * HOUR, 1_200.0
STORM_AT, STORM = 15 * HOUR, 60.0
WINDOW = 64
IDLE_LOOKS = 30.0
"""From this age on, a process skips the looks at the pace that would show nothing new."""
SHARE_LEAST = 0.999
GAP_LEAST = 0.99 * INTERVAL

TimeSpan = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of a drain. The share is of 1; gaps and times are seconds."""

    shards: int
    orders: int
    days: float
    lost: int
    repeats: int
    crashes: int
    most_repeats_of_a_crash: int
    killed_turns: int
    open_turns: int
    used_turns: int
    smallest_gap: float
    real_seconds: float

    @property
    def share(self) -> float:
        """The part of the open turns in which an attempt started."""
        return self.used_turns / (self.open_turns - self.killed_turns)

    @property
    def is_good(self) -> bool:
        """Is it as promised?"""
        return (
            not self.lost
            and self.most_repeats_of_a_crash <= WINDOW
            and self.share >= SHARE_LEAST
            and self.smallest_gap >= GAP_LEAST
        )

    def __str__(self) -> str:
        return (
            f"{self.shards} shard(s): {self.orders:,} orders in {self.days:.2f} days: "
            f"{self.lost} lost; {self.repeats} repeats in {self.crashes} crashes, "
            f"{self.most_repeats_of_a_crash} at most after one; "
            f"{self.used_turns:,} of {self.open_turns:,} open turns used, {self.killed_turns} died "
            f"with a process ({self.share:.3%}); "
            f"smallest gap {self.smallest_gap:.4f} s; {self.real_seconds:.0f} s of real time"
        )


class RecordingLedger(MemoryLedger):
    """The ledger in memory; it records when sending was held, and reports changes of the pace."""

    def __init__(self, timeline: Timeline, tell: Callable[[], None]) -> None:
        super().__init__()
        self.held: list[TimeSpan] = []
        self.closed_uploads = 0
        self._timeline = timeline
        self._tell = tell
        self._held_since: float | None = None

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """See PaceStore.swap_pace."""
        if not super().swap_pace(old, new):
            return False
        if (old.generation, old.epoch, old.owners) != (new.generation, new.epoch, new.owners):
            self._tell()
        if new.hold and self._held_since is None:
            self._held_since = new.hold.since
        elif not new.hold and self._held_since is not None:
            self.held.append((self._held_since, self._timeline.now()))
            self._held_since = None
        return True

    def close_if_drained(self, upload: UploadId, *, now: float) -> Account:
        """See UploadLedger.close_if_drained."""
        account = super().close_if_drained(upload, now=now)
        self.closed_uploads = sum(1 for _ in self.ended_accounts(since=0.0))
        return account


class RecordingApi(SimulatedApi):
    """The API with its daily faults; it records little, because a drain is long."""

    def __init__(
        self, uploads: Iterable[UploadId], orders_each: int, chance: random.Random
    ) -> None:
        super().__init__(lambda order_id, at: answer(order_id, at, chance=chance))
        self.times = array("d")
        self.accepted_lines = {upload: bytearray(orders_each + 1) for upload in uploads}
        self.repeated_at: list[float] = []

    def receive(self, entry: Entry, at: float, sender: str) -> tuple[float, Attempt]:
        """See SimulatedApi.receive."""
        del sender
        latency_seconds, attempt = self.behaviour(entry.order_id, at)
        self.times.append(at)
        if isinstance(attempt, Accepted) and entry.key:
            lines = self.accepted_lines[entry.key.upload]
            if lines[entry.line]:
                self.repeated_at.append(at)
            lines[entry.line] = 1
        return latency_seconds, attempt


def answer(_order_id: str, at: float, *, chance: random.Random) -> tuple[float, Attempt]:
    """The API's answer after 0.15 to 3 s, or a fault at its time of the day."""
    in_day = (at - START) % DAY
    if OUTAGE_AT <= in_day < OUTAGE_AT + OUTAGE:
        return 0.15, Unavailable(503, "the API answered 503", may_have_arrived=True)
    if STORM_AT <= in_day < STORM_AT + STORM:
        return 0.15, Throttled(5.0, "the API answered 429")
    return chance.uniform(0.15, 3.0), Accepted(200)


@dataclass(slots=True)
class Shard:
    """One shard, and the lives of its consecutive processes."""

    number: int
    upload: UploadId
    stream: Stream
    lives: list[TimeSpan]
    process: Process | None = None

    @property
    def settings(self) -> DeliverySettings:
        """The settings of its current process."""
        return DeliverySettings(f"shardId-{self.number:012d}", f"life-{len(self.lives)}", WINDOW)


class Drain:
    """A stream of orders over some shards, until all of them are settled."""

    def __init__(self, orders: int, shards: int) -> None:
        self.orders_each = orders // shards
        self.timeline = Timeline(START)
        self.ledger = RecordingLedger(self.timeline, self._tell)
        self.crashes: list[float] = []
        self.killed_turns: list[float] = []
        self.shards = [self._shard(number) for number in range(shards)]
        chance = random.Random(orders)  # noqa: S311 - the same in every run
        uploads = [shard.upload for shard in self.shards]
        self.api = RecordingApi(uploads, self.orders_each, chance)
        self.simulation = Simulation(
            self.timeline,
            self.ledger,
            self.api,
            lambda _event: None,
            idle_looks_seconds=IDLE_LOOKS,
        )
        change(self.ledger, lambda pace: steps.configure(pace, "1/s", now=START))

    def _shard(self, number: int) -> Shard:
        upload = upload_id("bucket", f"upload {number}", "1")
        stream = upload_stream(
            self.ledger, upload, self.orders_each, order_id=lambda line: f"{number}-{line}"
        )
        return Shard(number, upload, stream, [])

    def _tell(self) -> None:
        for shard in self.shards:
            if shard.process:
                shard.process.news()

    def run(self) -> Result:
        """Run it to the end."""
        started_at = time.monotonic()
        for shard in self.shards:
            self._start(shard, None)
        if not self.timeline.run(self._is_over, until=START + 40 * DAY):
            raise SystemExit("the drain did not end within 40 days")
        return self._result(time.monotonic() - started_at)

    def _start(self, shard: Shard, checkpoint: StreamPosition | None) -> None:
        life = len(shard.lives)
        shard.lives.append((self.timeline.now(), float("inf")))
        shard.process = Process(self.simulation, shard.stream, shard.settings, checkpoint)
        # The shards are killed at different times of the hour, and of the second.
        seconds = HOUR + shard.number * 97.3 + 0.123 * life % 1.0
        self.timeline.after(seconds, lambda: self._crash(shard))

    def _crash(self, shard: Shard) -> None:
        if self._is_done(shard) or shard.process is None:
            return
        now, checkpoint = self.timeline.now(), shard.process.checkpoint
        self.killed_turns += shard.process.turns_in_hand
        shard.process.crash()
        shard.lives[-1] = (shard.lives[-1][0], now)
        self.crashes.append(now)
        self.timeline.after(RESTART, lambda: self._start(shard, checkpoint))

    def _is_done(self, shard: Shard) -> bool:
        account = self.ledger.read_account(shard.upload)
        return account is not None and not account.upload.listed_open

    def _is_over(self) -> bool:
        return self.ledger.closed_uploads == len(self.shards)

    def _result(self, real_seconds: float) -> Result:
        times = self.api.times
        expected = self.orders_each * len(self.shards)
        accepted = min(
            sum(sum(lines) for lines in self.api.accepted_lines.values()),
            self.ledger.ended_tally().accepted,
        )
        open_spans = self._open_spans()
        return Result(
            shards=len(self.shards),
            orders=expected,
            days=(times[-1] - times[0]) / DAY,
            lost=expected - accepted,
            repeats=len(self.api.repeated_at),
            crashes=len(self.crashes),
            most_repeats_of_a_crash=self._most_repeats(),
            killed_turns=count_within(self.killed_turns, open_spans),
            open_turns=sum(ceil((end - begin) / INTERVAL) for begin, end in open_spans),
            used_turns=count_within(times, open_spans),
            smallest_gap=min(after - before for before, after in pairwise(times)),
            real_seconds=real_seconds,
        )

    def _open_spans(self) -> list[TimeSpan]:
        """When turns are open: see the module's docstring."""
        for shard in self.shards:
            account = self.ledger.read_account(shard.upload)
            ended_at = account.upload.ended_at if account else None
            begin, _ = shard.lives[-1]
            shard.lives[-1] = (begin, ended_at or begin)
        alive = joined(life for shard in self.shards for life in shard.lives)
        outages = [
            (START + day * DAY + OUTAGE_AT, START + day * DAY + OUTAGE_AT + OUTAGE)
            for day in range(40)
        ]
        return without(alive, joined([*outages, *self.ledger.held]))

    def _most_repeats(self) -> int:
        """The most repeats between a crash and the next."""
        crashes = Counter(bisect(self.crashes, at) for at in self.api.repeated_at)
        return max(crashes.values(), default=0)


def joined(spans: Iterable[TimeSpan]) -> list[TimeSpan]:
    """The spans in order, with those that touch or overlap merged."""
    result: list[TimeSpan] = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((begin, end))
    return result


def without(spans: Iterable[TimeSpan], removed: Iterable[TimeSpan]) -> list[TimeSpan]:
    """What is left of the spans without others; all of them in order."""
    left = list(spans)
    for begin, end in removed:
        pieces = ([(a, min(b, begin)), (max(a, end), b)] for a, b in left)
        left = [piece for both in pieces for piece in both if piece[0] < piece[1]]
    return left


def count_within(times: Iterable[float], spans: list[TimeSpan]) -> int:
    """How many of the times are in one of the spans, which are in order."""
    begins = [begin for begin, _ in spans]
    places = ((at, bisect(begins, at) - 1) for at in times)
    return sum(place >= 0 and at < spans[place][1] for at, place in places)


def drain(orders: int, shards: int) -> Result:
    """One drain, from the first to the last order."""
    return Drain(orders, shards).run()


def main() -> int:
    """Run the drains in parallel and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 4])
    options = parser.parse_args()
    with ProcessPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(drain, repeat(options.orders), options.shards))
    for result in results:
        print(result)
    return 0 if all(result.is_good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
