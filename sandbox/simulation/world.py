"""What surrounds the delivery in a simulation: the stream, the API and its request log?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from consumer.delivery.attempts import Accepted, Attempt
from consumer.delivery.entries import Entry, Position, StreamRecord
from ledger.ports.uploads import LaneTail, Progress, Source, UploadLedger, UploadState
from orders.envelope import EndMarker, OrderEnvelope
from orders.upload import UploadId


class Request(NamedTuple):
    """One request as the API received it.

    at: seconds since the epoch. name: `<upload>/<line>`. sender: the token of the process.
    """

    at: float
    name: str
    order_id: str
    sender: str
    was_accepted: bool


Behaviour = Callable[[str, float], tuple[float, Attempt]]
"""By order id and moment: the latency in seconds, and what the attempt comes to."""


class ReceivingApi(Protocol):
    """The third party's API, from where a request arrives."""

    def receive(self, entry: Entry, at: float, sender: str) -> tuple[float, Attempt]:
        """Take a request; returns the latency in seconds and what the attempt comes to.

        sender: the token of the process.
        """


@dataclass
class SimulatedApi:
    """An API that answers by a rule and notes what it received."""

    behaviour: Behaviour
    requests: list[Request] = field(default_factory=list)

    def receive(self, entry: Entry, at: float, sender: str) -> tuple[float, Attempt]:
        """See ReceivingApi.receive."""
        latency_seconds, attempt = self.behaviour(entry.order_id, at)
        was_accepted = isinstance(attempt, Accepted)
        self.requests.append(Request(at, entry.name, entry.order_id, sender, was_accepted))
        return latency_seconds, attempt


@dataclass(frozen=True, slots=True)
class Stream:
    """One shard's records, as they are read from a checkpoint on."""

    length: int
    record: Callable[[int], StreamRecord]

    def after(self, checkpoint: Position | None) -> Iterator[StreamRecord]:
        """The records after a checkpoint; its sequence number is the record's index."""
        start = int(checkpoint.sequence) + 1 if checkpoint else 0
        return (self.record(index) for index in range(start, self.length))


def upload_stream(
    ledger: UploadLedger, upload: UploadId, orders: int, *, order_id: Callable[[int], str]
) -> Stream:
    """An upload of so many orders, known to the ledger, as one lane on one shard."""
    source = Source("bucket", "key", "1", "etag", orders * 100)
    ledger.announce(upload, source, now=0.0)
    ledger.start_run(upload, token="run", lanes=1, now=0.0)  # noqa: S106 - names the run
    progress = Progress(line=orders, enqueued=orders, tails=(LaneTail(orders, orders),))
    ledger.finish_reading(
        upload,
        token="run",  # noqa: S106
        progress=progress,
        state=UploadState.SENDING,
        reason="",
        now=0.0,
    )

    def record(index: int) -> StreamRecord:
        position = Position(str(index), 0)
        if index == orders:
            return StreamRecord(position, EndMarker(upload, 0, orders, orders))
        body = b'{"order_id":"%s"}' % order_id(index + 1).encode()
        return StreamRecord(position, OrderEnvelope(upload, 0, index + 1, index, index + 1, body))

    return Stream(orders + 1, record)
