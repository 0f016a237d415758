"""Which small world do the tests of sending run in, on a real clock and with real threads?"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from consumer.delivery.attempts import Accepted, Attempt, BatchRequest, OrderRequest
from consumer.delivery.delivery import Delivery
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamPosition, StreamRecord
from consumer.delivery.events import Attempted, LedgerFailed
from consumer.delivery.starts import Starts
from consumer.sending.clock import AnchoredClock
from consumer.sending.leased_shard import LeasedShard
from consumer.sending.sender_threads import ProcessHooks
from ledger.memory.ledger import MemoryLedger
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Pace
from ledger.pace.turns import own
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.upload import Account
from orders.upload import UploadId
from sandbox.simulation.faulty_ledger import LedgerFault, with_faults
from sandbox.simulation.world import upload_stream
from tests.support.eventually import LIMIT_SECONDS, eventually

if TYPE_CHECKING:
    from consumer.delivery.events import Event

UPLOAD = UploadId("0123456789abcdef0123")
LANE = LaneKey(UPLOAD, LaneNumber(0))
SHARD = "shardId-000000000000"

T = TypeVar("T")


def begun(call: Callable[[], T]) -> Future[T]:
    """A call that runs in a thread of its own, as it does not return at once."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    Thread(target=run, name="call", daemon=True).start()
    return future


def in_time(call: Callable[[], T]) -> T:
    """What a call returns or raises. Fails at LIMIT_SECONDS."""
    return begun(call).result(LIMIT_SECONDS)


def accepts(order_id: str) -> Attempt:
    """An API that takes every order at once."""
    del order_id
    return Accepted(200)


@dataclass
class ScriptedApi:
    """An Api that answers by a rule and notes what it received.

    gate: closed, it keeps the answers back.
    """

    behaviour: Callable[[str], Attempt] = accepts
    received: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def send(
        self,
        order: OrderRequest | BatchRequest,
        *,
        begin: Callable[[], None],
        sent: Callable[[], None],
    ) -> Attempt:
        """See Api.send."""
        assert isinstance(order, OrderRequest)
        begin()
        self.received.append(order.order_id)
        sent()
        assert self.gate.wait(LIMIT_SECONDS), "nobody opened the gate"
        return self.behaviour(order.order_id)

    def connect(self) -> None:
        """See Api.connect."""


@dataclass
class ShardAtWork:
    """One upload on one leased shard, its threads, its API and its ledger.

    fault: what happens to a call of the ledger, by the call's name.
    checkpoints: the indices of the positions that were written, in order.
    marks: the lane's mark in the ledger when each of them was.
    """

    orders: int = 5
    rate: str = "none"
    behaviour: Callable[[str], Attempt] = accepts
    window_max: int = 64
    has_row: bool = True
    fault: Callable[[str], LedgerFault] = lambda _: LedgerFault.NONE

    def __post_init__(self) -> None:
        self.clock = AnchoredClock()
        self.ledger = MemoryLedger()
        self.api = ScriptedApi(self.behaviour)
        self.events: list[Event] = []
        self.failures: list[BaseException] = []
        self.checkpoints: list[int] = []
        self.marks: list[int] = []
        self.is_orphan = False
        self.change_pace(lambda pace: steps.configure(pace, self.rate, now=self.clock.now()))
        first = upload_stream(MemoryLedger(), UPLOAD, self.orders, order_id="o{}".format)
        self.records = [first.record(index) for index in range(first.length)]
        if self.has_row:
            self.add_row()
        hooks = ProcessHooks(
            clock=self.clock,
            starts=Starts("here"),
            observe=self.events.append,
            is_orphan=lambda: self.is_orphan,
            fail=self.failures.append,
        )
        self.shard = LeasedShard(
            with_faults(self.ledger, self._fault_of),
            self.api,
            hooks,
            DeliverySettings(shard="", token="", window_max=self.window_max),
        )

    def _fault_of(self, name: str) -> LedgerFault:
        return self.fault(name)  # which a test may exchange at any moment

    # --- what the daemon does -------------------------------------------------------------------

    def begin(self) -> None:
        """The shard is leased."""
        in_time(lambda: self.shard.begin(SHARD))

    def feed(self, records: list[StreamRecord] | None = None) -> None:
        """All records of the upload, or these, are handed over."""
        handed = self.records if records is None else records
        in_time(lambda: self.shard.feed(handed, self.checkpoint))

    def drain(self) -> None:
        """All in hand is sent and settled."""
        in_time(lambda: self.shard.drain(self.checkpoint))

    def send_all(self) -> None:
        """The whole upload, from the lease to the last checkpoint."""
        self.begin()
        self.feed()
        self.drain()
        self.follow()

    def follow(self) -> None:
        """The daemon calls without records until the last position is written."""

        def is_written() -> bool:
            self.shard.feed([], self.checkpoint)
            return len(self.records) - 1 in self.checkpoints

        eventually(is_written)

    def checkpoint(self, position: StreamPosition) -> bool:
        """Write a checkpoint, and note what the ledger says meanwhile."""
        self.checkpoints.append(int(position.sequence))
        lane = self.ledger.read_lane(LANE)
        self.marks.append(lane.mark if lane else 0)
        return True

    def leave(self) -> None:
        """End every thread."""
        self.api.gate.set()
        if self.shard.delivery:
            with self.shard.threads.lock:
                self.shard.threads.delivery.stop()
            in_time(self.shard.threads.close)

    # --- what others do -------------------------------------------------------------------------

    def add_row(self) -> None:
        """The upload is known to the ledger."""
        upload_stream(self.ledger, UPLOAD, self.orders, order_id="o{}".format)

    def change_pace(self, step: Callable[[Pace], Pace]) -> Pace:
        """Do to the pace what a person or another process does."""
        return change(self.ledger, step)

    def cancel(self) -> None:
        """A person cancels the upload."""
        self.ledger.cancel(UPLOAD, reason="by hand", now=self.clock.now())

    @staticmethod
    def refused(name: str, method: str) -> LedgerFault:
        """Only this method of the ledger fails."""
        return LedgerFault.REFUSED if name == method else LedgerFault.NONE

    def take_over(self) -> None:
        """Another process takes the shard, and this one sees it."""
        self.change_pace(lambda pace: own(pace, SHARD, "another", now=self.clock.now()))
        eventually(lambda: self.delivery.is_superseded)

    # --- how it stands --------------------------------------------------------------------------

    @property
    def delivery(self) -> Delivery:
        """The delivery. The shard must have begun."""
        return self.shard.threads.delivery

    @property
    def account(self) -> Account:
        """What the ledger says."""
        account = self.ledger.read_account(UPLOAD)
        assert account is not None
        return account

    @property
    def order_ids(self) -> list[str]:
        """The ids of all orders, in file order."""
        return [f"o{line}" for line in range(1, self.orders + 1)]

    @property
    def started(self) -> int:
        """How many attempts were started; exact while the threads's lock is held."""
        ended = sum(isinstance(event, Attempted) for event in list(self.events))
        return ended + self.delivery.dispatcher.in_flight

    def failed_calls(self) -> list[str]:
        """What the ledger was asked for in vain, as it was told."""
        return [event.call for event in list(self.events) if isinstance(event, LedgerFailed)]
