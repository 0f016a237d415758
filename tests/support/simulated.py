"""The world in which the tests of the delivery run: one ledger, one API, one simulated clock."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from consumer.closing.closer import Closer
from consumer.delivery.attempts import Accepted, Attempt
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamRecord
from ledger.memory.ledger import MemoryLedger
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Pace
from ledger.uploads.lane import LaneKey
from ledger.uploads.upload import Account, LaneTail
from orders.envelope import EndMarker
from orders.upload import UploadId
from sandbox.simulation.faulty_ledger import LedgerFault, with_faults
from sandbox.simulation.process import Process
from sandbox.simulation.timeline import Timeline
from sandbox.simulation.world import (
    Behaviour,
    ReceivingApi,
    SimulatedApi,
    SimulatedRequest,
    Simulation,
    Stream,
    upload_stream,
)

if TYPE_CHECKING:
    from consumer.delivery.events import Event

START = 1_000_000_000.0
UPLOAD = UploadId("0123456789abcdef0123")
SHARD = "shardId-000000000000"


def accepts(order_id: str, at: float) -> tuple[float, Attempt]:
    """An API that takes every order in 0.15 s."""
    del order_id, at
    return 0.15, Accepted(200)


CLOSER_SECONDS = 5.0
"""How often the worker looks for uploads that stand still."""


class SimulatedWorld:
    """A ledger, an API and the processes that send to it, on a simulated clock."""

    def __init__(
        self,
        ledger: MemoryLedger,
        api: ReceivingApi,
        *,
        fault: Callable[[str], LedgerFault] = lambda _: LedgerFault.NONE,
        late_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`fault`: what happens to a ledger call of a process, by the call's name."""
        self.timeline = Timeline(START)
        self.ledger = ledger
        self.events: list[Event] = []
        self.simulation = Simulation(
            self.timeline,
            with_faults(ledger, fault),
            api,
            self.events.append,
            late_seconds=late_seconds,
        )

    def change_pace(self, step: Callable[[Pace], Pace]) -> Pace:
        """Do to the pace what a person or another process does."""
        return change(self.ledger, step)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        self.timeline.run(lambda: False, until=self.timeline.now() + seconds)


@dataclass
class World(SimulatedWorld):
    """One upload on one shard, its sender and its API, on a simulated clock.

    is_read: did the reading of the upload end, or did its run vanish before it could say so?
    """

    orders: int
    rate: str = "1/s"
    behaviour: Behaviour = accepts
    order_id: Callable[[int], str] = "o{}".format
    settings: DeliverySettings = field(default_factory=lambda: DeliverySettings(SHARD, "token-1"))
    tamper: Callable[[StreamRecord], list[StreamRecord]] | None = None
    is_read: bool = True

    def __post_init__(self) -> None:
        self.api = SimulatedApi(self.behaviour)
        super().__init__(MemoryLedger(), self.api)
        self.change_pace(lambda pace: steps.configure(pace, self.rate, now=START))
        stream = upload_stream(
            self.ledger, UPLOAD, self.orders, order_id=self.order_id, is_read=self.is_read
        )
        self.stream = self._tampered(stream)
        self.process = Process(self.simulation, self.stream, self.settings, None)
        now = self.timeline.now
        self._closer = Closer(self.ledger, self, clock=now, monotonic=now)
        self.timeline.after(CLOSER_SECONDS, self._close)

    def _close(self) -> None:
        self._closer.look(self.ledger.open_accounts())
        self.timeline.after(CLOSER_SECONDS, self._close)

    def put_end(self, key: LaneKey, *, lanes: int, tail: LaneTail) -> None:
        """See EndMarkers.put_end; the stream has one shard."""
        del lanes
        self.stream.put(EndMarker(key.upload, key.lane, tail.line, tail.ordinal))

    def _tampered(self, stream: Stream) -> Stream:
        if self.tamper is None:
            return stream
        records = [r for i in range(stream.length) for r in self.tamper(stream.record(i))]
        return Stream(len(records), lambda i: _at(records[i], i))

    def crash(self, *, token: str, after_seconds: float = 6.0) -> None:
        """SIGKILL now; a new process goes on from the checkpoint."""
        self.process.crash()
        checkpoint = self.process.checkpoint
        settings = replace(self.settings, token=token)

        def start() -> None:
            self.process = Process(self.simulation, self.stream, settings, checkpoint)

        self.timeline.after(after_seconds, start)

    def run_to_end(self, *, limit_seconds: float = 100_000.0) -> None:
        """Let time pass until the upload is closed. Fails at the limit."""
        limit = self.timeline.now() + limit_seconds
        assert self.timeline.run(lambda: not self.account.upload.listed_open, until=limit), (
            f"the upload is still open after {limit_seconds} s: {self.account}"
        )

    @property
    def account(self) -> Account:
        """What the ledger says."""
        account = self.ledger.read_account(UPLOAD)
        assert account is not None
        return account

    @property
    def pace(self) -> Pace:
        """The pace item."""
        return self.ledger.read_pace()

    @property
    def requests(self) -> list[SimulatedRequest]:
        """What the API received."""
        return self.api.requests

    def accepted(self) -> list[str]:
        """The order ids that the API took, in order."""
        return [request.order_id for request in self.requests if request.was_accepted]

    def repeats(self) -> int:
        """How many requests the API took more than once."""
        return sum(count - 1 for count in Counter(self.accepted()).values())

    def gaps(self) -> list[float]:
        """The seconds between requests."""
        times = [request.at for request in self.requests]
        return [after - before for before, after in pairwise(times)]


def _at(record: StreamRecord, index: int) -> StreamRecord:
    return replace(record, position=replace(record.position, sequence=str(index)))
