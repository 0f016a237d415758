"""A fleet of shard processes to which anything may happen.

Several uploads with several lanes are on several shards; a process sends for each shard, and an old
one may go on beside it.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamPosition, StreamRecord
from ledger.memory.ledger import MemoryLedger
from ledger.pace.pace import Pace
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.upload import Account, LaneTail, Progress
from orders.envelope import EndMarker, OrderEnvelope, Unreadable
from orders.rate import NO_LIMIT, Rate
from orders.upload import UploadId
from sandbox.simulation.faulty_ledger import LedgerFault
from sandbox.simulation.process import Process
from sandbox.simulation.world import Stream, enter_upload
from tests.support.capricious_api import CapriciousApi, KnownOrder, Retired
from tests.support.simulated import SimulatedWorld

WINDOW = 6
NOTICE_SECONDS = 1.0
STOP_SECONDS = 15.0
LATE_MAX = 3
"""A record that comes late or twice does so before so many others of its kind are held back."""


class Fate(Enum):
    """What becomes of a record on its way through the stream."""

    KEPT = auto()
    TWICE = auto()
    LATE = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order as a test asks for it: so many lines after the last, one of so many with its id."""

    lines_on: int
    twin: int
    fate: Fate


Plan = Sequence[Sequence[Sequence[PlannedOrder]]]
"""Uploads, each of them lanes, each of them orders."""


@dataclass
class FleetShard:
    """A shard, who sends for it, and how far that is known to be right."""

    name: str
    stream: Stream
    process: Process | None = None
    old: list[Process] = field(default_factory=list)
    lives: int = 0
    checkpoint: StreamPosition | None = None
    verified: int = -1

    @property
    def is_through(self) -> bool:
        """Is all that the stream holds settled and passed by the checkpoint?"""
        process = self.process
        if process is None or not process.has_begun:
            return False
        reached = int(process.checkpoint.sequence) + 1 if process.checkpoint else 0
        return reached == self.stream.end and process.delivery.is_quiet


class WatchedLedger(MemoryLedger):
    """A ledger that tells when a shard gets another owner: its name and the token before."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        super().__init__()
        self._tell = tell

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        before = self.read_pace().owners
        swapped = super().swap_pace(old, new)
        if swapped and before != new.owners:
            for shard, token in before.items():
                if new.owners[shard] != token:
                    self._tell(shard, token)
        return swapped


class Fleet(SimulatedWorld):
    """Many processes, and all that may happen to them."""

    def __init__(
        self, plan: Plan, *, shards: int, seed: int, is_late: bool, batch_orders: int = 1
    ) -> None:
        """All orders are in the stream at the start; `batch_orders` are sent in one request."""
        self.batch_orders = batch_orders
        chance = random.Random(seed)  # noqa: S311 - what a test draws, it must draw again
        self.api = CapriciousApi(lambda order: self.lane_of(order).is_settled(order.line))
        super().__init__(
            WatchedLedger(self._lost_its_shard),
            self.api,
            fault=self._fault,
            late_seconds=(lambda: chance.uniform(0.0, 0.03)) if is_late else (lambda: 0.0),
        )
        self.rates: list[tuple[float, Rate]] = []
        self.lost: dict[UploadId, int] = {}
        self.lines: dict[UploadId, int] = {}
        self.faults: deque[LedgerFault] = deque()
        self.is_ledger_down = False
        self.ahead_seconds = 0.0
        self.slowed_while_taken_over = False
        self.shards = [
            FleetShard(f"shardId-{number:012d}", stream)
            for number, stream in enumerate(self._streams(plan, shards, chance))
        ]

    # --- the stream -------------------------------------------------------------------------------

    def _streams(self, plan: Plan, shards: int, chance: random.Random) -> list[Stream]:
        lanes: list[list[list[StreamRecord]]] = [[] for _ in range(shards)]
        for number, upload_plan in enumerate(plan):
            upload = UploadId(f"{number:020d}")
            tails = []
            for lane, orders in enumerate(upload_plan):
                records, tail = self._lane(upload, lane, len(upload_plan), orders)
                lanes[(number + lane) % shards].append(records)
                tails.append(tail)
            self._enter(upload, tails)
        return [_mixed(of_shard, chance) for of_shard in lanes]

    def _lane(
        self, upload: UploadId, lane: int, lanes: int, orders: Sequence[PlannedOrder]
    ) -> tuple[list[StreamRecord], LaneTail]:
        """A lane as the stream delivers it, and its end as the ledger knows it.

        Where the last order is lost, so is the end marker: the lane's tail left the stream.
        """
        records: list[StreamRecord] = [] if orders else [_record(Unreadable("junk"))]
        held_back: list[StreamRecord] = []
        prev = 0
        for ordinal, planned in enumerate(orders, 1):
            line = (prev // lanes + planned.lines_on) * lanes + lane + 1
            name = f"late-{line}" if planned.fate is Fate.LATE else f"{lane}-{planned.twin}"
            known = KnownOrder(upload, lane, line, name)
            if planned.fate is not Fate.LOST:
                self.api.orders[known.name] = known
            body = b'{"order_id":"%s"}' % name.encode()
            record = _record(OrderEnvelope(upload, lane, line, prev, ordinal, body))
            records += [record] if planned.fate in {Fate.KEPT, Fate.TWICE} else []
            held_back += [record] if planned.fate in {Fate.TWICE, Fate.LATE} else []
            if len(held_back) == LATE_MAX:
                records, held_back = records + held_back, []
            prev = line
        lost = sum(planned.fate is Fate.LOST for planned in orders)
        self.lost[upload] = self.lost.get(upload, 0) + lost
        end = _record(EndMarker(upload, lane, prev, len(orders)))
        ends = [] if orders and orders[-1].fate is Fate.LOST else [end]
        return [*records, *held_back, *ends], LaneTail(prev, len(orders))

    def _enter(self, upload: UploadId, tails: list[LaneTail]) -> None:
        enqueued = sum(tail.ordinal for tail in tails)
        line = max(tail.line for tail in tails)
        self.lines[upload] = enqueued
        progress = Progress(line=line, enqueued=enqueued, blank=line - enqueued, tails=tuple(tails))
        enter_upload(self.ledger, upload, progress)

    # --- the processes ----------------------------------------------------------------------------

    def start(self, shard: FleetShard) -> None:
        """A process begins where the checkpoint stands."""
        shard.lives += 1
        settings = DeliverySettings(
            shard.name,
            f"{shard.name[-1]}/{shard.lives}",
            WINDOW,
            refusal_budget=(4, 20.0),
            batch_orders=self.batch_orders,
        )
        shard.process = Process(
            self.simulation,
            shard.stream,
            settings,
            shard.checkpoint,
            ahead_seconds=self.ahead_seconds,
        )

    def crash(self, shard: FleetShard, *, after_seconds: float, is_behind: bool) -> None:
        """SIGKILL; the next process follows, maybe from a checkpoint that is behind."""
        if shard.process is None:
            return
        shard.process.crash()
        if not is_behind:
            shard.checkpoint = shard.process.checkpoint
        shard.process = None
        self.timeline.after(after_seconds, lambda: self.start(shard))

    def take_over(self, shard: FleetShard) -> None:
        """Another process begins, and the old one does not know."""
        old = shard.process
        if old is None or not old.has_begun:
            return
        shard.old.append(old)
        shard.checkpoint = old.checkpoint
        self.start(shard)

    def stop(self, shard: FleetShard) -> None:
        """SIGTERM: the process finishes what is on its way; the next one begins."""
        process = shard.process
        if process is None or not process.has_begun:
            return
        process.stop()
        limit = self.timeline.now() + STOP_SECONDS
        self.timeline.run(lambda: process.delivery.is_quiet, until=limit)
        process.crash()
        shard.checkpoint = process.checkpoint
        self.start(shard)

    def _lost_its_shard(self, name: str, token: str) -> None:
        """What the API has and the ledger does not may come once more (promise 2).

        The process that lost its shard, if it lives, may start what it has turns for, and nothing
        any more after a second (promise 6).
        """
        shard = next(shard for shard in self.shards if shard.name == name)
        limited = self.rates[-1][1] != NO_LIMIT
        self.slowed_while_taken_over |= limited and self.was_unlimited_just_now
        for old in shard.old:
            if old.settings.token == token:
                turns = None if self.was_unlimited_just_now else len(old.turns_in_hand)
                self.api.retired[token] = Retired(turns, self.timeline.now() + NOTICE_SECONDS)
        known = {order.name: order for order in self.orders_of(shard)}
        again = [n for n in self.api.taken if n in known and not self.api.is_settled(known[n])]
        for order_name in again:
            self.api.excused[order_name] = max(1, self.api.excused[order_name])
        if len(again) > WINDOW * self.batch_orders * (1 + len(shard.old)):
            self.api.breaches.append(f"promise 2: {len(again)} orders may come again: {again}")

    def put_ends_again(self) -> None:
        """A worker puts the end markers of all lanes again, as it does for uploads that stand."""
        for number, account in enumerate(self.accounts):
            for lane, tail in enumerate(account.upload.progress.tails):
                stream = self.shards[(number + lane) % len(self.shards)].stream
                stream.put(EndMarker(account.upload.id, lane, tail.line, tail.ordinal))

    def orders_of(self, shard: FleetShard) -> list[KnownOrder]:
        """The orders that the shard's stream delivers."""
        items = (shard.stream.record(i).item for i in range(shard.stream.length))
        return [
            self.api.orders[f"{item.upload}/{item.line}"]
            for item in items
            if isinstance(item, OrderEnvelope)
        ]

    # --- what happens to it -----------------------------------------------------------------------

    def change_pace(self, step: Callable[[Pace], Pace]) -> Pace:
        """Do to the pace what a person does, and note the rate."""
        pace = super().change_pace(step)
        rate = pace.rate(self.timeline.now())
        if rate and (not self.rates or self.rates[-1][1] != rate):
            self.rates.append((self.timeline.now(), rate))
        return pace

    @property
    def was_unlimited_just_now(self) -> bool:
        """May a process still believe that it needs no turns?"""
        since = self.timeline.now() - NOTICE_SECONDS
        ends = [*(at for at, _ in self.rates[1:]), self.timeline.now()]
        spans = zip(self.rates, ends, strict=True)
        return any(rate == NO_LIMIT and end >= since for (_, rate), end in spans)

    def _fault(self, _name: str) -> LedgerFault:
        if self.is_ledger_down:
            return LedgerFault.REFUSED
        return self.faults.popleft() if self.faults else LedgerFault.NONE

    # --- what is known of it ----------------------------------------------------------------------

    def lane_of(self, order: KnownOrder) -> Lane:
        """The lane as the ledger has it."""
        return self.lane(LaneKey(order.upload, LaneNumber(order.lane)))

    def lane(self, key: LaneKey) -> Lane:
        """A lane as the ledger has it."""
        lane = self.ledger.read_lane(key)
        assert lane is not None
        return lane

    @property
    def junk(self) -> int:
        """How many records are no envelopes. Kinesis numbers its records over all shards."""
        return len(
            {
                index
                for shard in self.shards
                for index in range(shard.stream.length)
                if isinstance(shard.stream.record(index).item, Unreadable)
            }
        )

    @property
    def accounts(self) -> list[Account]:
        """What the ledger says of every upload."""
        accounts = [self.ledger.read_account(upload) for upload in self.lines]
        return [account for account in accounts if account]


def _record(item: OrderEnvelope | EndMarker | Unreadable) -> StreamRecord:
    return StreamRecord(
        StreamPosition("", 0), item, b"junk" if isinstance(item, Unreadable) else b""
    )


def _mixed(lanes: list[list[StreamRecord]], chance: random.Random) -> Stream:
    """One shard's stream: its lanes in any mixture, each in its own order."""
    left = [deque(lane) for lane in lanes]
    records: list[StreamRecord] = []
    while any(left):
        record = chance.choice([lane for lane in left if lane]).popleft()
        records.append(replace(record, position=StreamPosition(str(len(records)), 0)))
    return Stream(len(records), records.__getitem__)
