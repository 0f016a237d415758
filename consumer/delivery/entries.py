"""What does the delivery hold for one record of the stream?"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import NewType

from ledger.uploads.lane import LaneKey
from orders.envelope import Decoded
from orders.outcome import Outcome


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Where a record stands in its shard: what KCL checkpoints. Both always go together.

    sequence: the sequence number as Kinesis wrote it.
    """

    sequence: str
    sub_sequence: int


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One de-aggregated record as it came from the stream."""

    position: StreamPosition
    item: Decoded
    data: bytes = b""


OrderId = NewType("OrderId", str)


class Stage(Enum):
    """How far an entry is."""

    BLOCKED = auto()  # a later release must read it; nothing after it is sent
    WAITING = auto()  # not sent, or to be sent again
    ASSIGNED = auto()  # has a turn, not started
    STARTED = auto()  # an attempt is on its way
    DONE = auto()  # its outcome is known, the ledger does not have it yet
    SETTLING = auto()  # the ledger is being told
    SETTLED = auto()  # the ledger has it


@dataclass(slots=True, eq=False)
class Entry:
    """A record in hand, in stream order. Mutable: this is the state of the delivery.

    key: the lane, None for a record that is no envelope. prev, line, ordinal: as in the envelope;
    for orders that never came the range that they are in, `count` of them.
    never_came: no record stands for it, so it has the position of the record that showed the gap.
    is_compared: it was let in beyond the window's size, to be compared with an order that fails.
    failures: attempts without a usable answer; alone: those among them since which others were
    accepted; failed_at: when the last attempt failed.
    """

    position: StreamPosition
    key: LaneKey | None
    prev: int
    line: int
    ordinal: int
    body: bytes = b""
    order_id: OrderId = OrderId("")
    stage: Stage = Stage.WAITING
    outcome: Outcome | None = None
    count: int = 1
    ends_lane: bool = False
    is_compared: bool = False
    never_came: bool = False
    failures: int = 0
    alone: int = 0
    failed_at: float = 0.0
    retry_at: float = 0.0
    attempts: int = 0
    may_have_arrived: bool = False
    first_attempt_at: float = 0.0
    started_at: float = 0.0
    gap_seconds: float | None = None
    status: int | None = None
    reason: str = ""
    answer: str = ""

    @property
    def is_order(self) -> bool:
        """Is it an order that came, and no gap, end marker or foreign record?"""
        return self.key is not None and not self.ends_lane and not self.never_came

    @property
    def name(self) -> str:
        """How people and the pace item name this order."""
        return f"{self.key.upload}/{self.line}" if self.key else "unreadable"
