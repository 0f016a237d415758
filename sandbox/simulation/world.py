"""What surrounds a simulated process: the stream, the API and what processes share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from consumer.delivery.attempts import Accepted, Attempt
from consumer.delivery.entries import Entry, StreamPosition, StreamRecord
from consumer.delivery.events import Observer
from consumer.delivery.starts import Starts
from consumer.sending.ledger_calls import Ledger
from ledger.pace.pace import machine_of
from ledger.ports.uploads import UploadLedger
from ledger.uploads.upload import LaneTail, Progress, Source, UploadState
from orders.envelope import Decoded, EndMarker, OrderEnvelope
from orders.upload import UploadId
from sandbox.simulation.timeline import Timeline


class SimulatedRequest(NamedTuple):
    """One request as the API received it.

    at: seconds since the epoch. name: `<upload>/<line>`. sender: the token of the process.
    """

    at: float
    name: str
    order_id: str
    sender: str
    was_accepted: bool


Behaviour = Callable[[str, float], tuple[float, Attempt]]
"""By order id and moment: the latency in seconds and the result of the attempt."""


class ReceivingApi(Protocol):
    """The third party's API."""

    def receive(self, entry: Entry, at: float, sender: str) -> tuple[float, Attempt]:
        """Take a request; returns the latency in seconds and the result of the attempt.

        sender: the token of the process.
        """


@dataclass
class SimulatedApi:
    """An API that answers by a rule and records what it received."""

    behaviour: Behaviour
    requests: list[SimulatedRequest] = field(default_factory=list)

    def receive(self, entry: Entry, at: float, sender: str) -> tuple[float, Attempt]:
        """See ReceivingApi.receive."""
        latency_seconds, attempt = self.behaviour(entry.order_id, at)
        was_accepted = isinstance(attempt, Accepted)
        self.requests.append(SimulatedRequest(at, entry.name, entry.order_id, sender, was_accepted))
        return latency_seconds, attempt


@dataclass
class Simulation:
    """What the processes of one simulation share.

    late_seconds: how late a thread wakes up for its turn, at each call.
    idle_looks_seconds: from this age on a process reads the pace only when it is told of news or
    would start an attempt on a stale view: over days most reads show nothing new.
    """

    timeline: Timeline
    ledger: Ledger
    api: ReceivingApi
    observe: Observer
    late_seconds: Callable[[], float] = lambda: 0.0
    idle_looks_seconds: float = float("inf")
    machines: dict[str, Starts] = field(default_factory=dict)

    def starts_of(self, token: str) -> Starts:
        """The starts of the machine that a token names; without one, of a machine of its own."""
        machine = machine_of(token)
        starts = Starts(machine, self.timeline.now)
        return self.machines.setdefault(machine or token, starts)


@dataclass(frozen=True, slots=True)
class Stream:
    """One shard's records; the sequence number of each is its index.

    length, record: what is in it from the start. added: what was put after that.
    """

    length: int
    record: Callable[[int], StreamRecord]
    added: list[StreamRecord] = field(default_factory=list)

    @property
    def end(self) -> int:
        """How many records are in it now."""
        return self.length + len(self.added)

    def at(self, index: int) -> StreamRecord:
        """The record of this index."""
        return self.record(index) if index < self.length else self.added[index - self.length]

    def read(self, start: int, count: int) -> list[StreamRecord]:
        """Up to `count` records from the index `start` on."""
        return [self.at(index) for index in range(start, min(start + count, self.end))]

    def put(self, item: Decoded) -> None:
        """Add a record at the end."""
        self.added.append(StreamRecord(StreamPosition(str(self.end), 0), item))


def enter_upload(
    ledger: UploadLedger, upload: UploadId, progress: Progress, *, is_read: bool = True
) -> None:
    """Make an upload, read so far, known to the ledger.

    is_read: did its reading end? Otherwise its run vanished after it saved its progress.
    """
    run = "run"
    source = Source("bucket", "key", "1", "etag", progress.line * 100)
    ledger.announce(upload, source, now=0.0)
    ledger.start_run(upload, token=run, lanes=len(progress.tails), now=0.0)
    ledger.save_progress(upload, token=run, progress=progress, now=0.0)
    if is_read:
        state = UploadState.SENDING
        ledger.finish_reading(upload, token=run, progress=progress, state=state, reason="", now=0.0)


def upload_stream(
    ledger: UploadLedger,
    upload: UploadId,
    orders: int,
    *,
    order_id: Callable[[int], str],
    is_read: bool = True,
) -> Stream:
    """An upload of so many orders, entered in the ledger, as one lane on one shard.

    is_read: see enter_upload.
    """
    progress = Progress(line=orders, enqueued=orders, tails=(LaneTail(orders, orders),))
    enter_upload(ledger, upload, progress, is_read=is_read)

    def record(index: int) -> StreamRecord:
        position = StreamPosition(str(index), 0)
        if index == orders:
            return StreamRecord(position, EndMarker(upload, 0, orders, orders))
        body = b'{"order_id":"%s"}' % order_id(index + 1).encode()
        return StreamRecord(position, OrderEnvelope(upload, 0, index + 1, index, index + 1, body))

    return Stream(orders + 1, record)
