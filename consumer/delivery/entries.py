"""What the delivery holds for one record of the stream."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NewType

from ledger.uploads.lane import LaneKey
from orders.envelope import Decoded
from orders.outcome import Outcome

if TYPE_CHECKING:
    from consumer.delivery.batch import Batch


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """A record's place in its shard: what KCL checkpoints. Both parts always go together.

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
SUSPECT = 2
"""From so many failures alone on, an order waits while others go on."""


class Stage(Enum):
    """How far an entry is."""

    BLOCKED = auto()  # a later release must read it; nothing after it is sent
    FILLING = auto()  # a batch that may get more orders
    WAITING = auto()  # not sent, or to be sent again
    ASSIGNED = auto()  # has a turn, not started
    STARTED = auto()  # an attempt is on its way
    DONE = auto()  # its outcome is known, the ledger does not have it yet
    SETTLING = auto()  # a settle with it is on its way
    SETTLED = auto()  # the ledger has it


@dataclass(slots=True, eq=False)
class Entry:
    """A record in hand, in stream order. Mutable: this is the state of the delivery.

    Its stage changes only by its methods, once it is made.

    key: the lane, None for a record that is no envelope. prev, line, ordinal: as in the envelope;
    for orders that never came the range of all `count` of them.
    carried_id: the order id that its envelope carries; empty: the body has it.
    never_came: it has no record of its own, so it has the position of the one that showed the gap.
    is_compared: it was let in beyond the window's size, to be compared with an order that fails.
    failures: attempts without a usable answer; alone: those among them since which others were
    accepted; failed_at: when the last attempt failed.
    behind: how many of its order ids an earlier entry of the window has, too.
    batch: the orders that it is sent with.
    """

    position: StreamPosition
    key: LaneKey | None
    prev: int
    line: int
    ordinal: int
    body: bytes = b""
    order_id: OrderId = OrderId("")
    carried_id: str = ""
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
    behind: int = 0
    batch: "Batch | None" = None

    @property
    def is_order(self) -> bool:
        """Is it an order that came, and no gap, end marker or foreign record?"""
        return self.key is not None and not self.ends_lane and not self.never_came

    @property
    def name(self) -> str:
        """How people and the pace item name this order."""
        return f"{self.key.upload}/{self.line}" if self.key else "unreadable"

    @property
    def orders(self) -> int:
        """How many orders of it the ledger does not have."""
        return 1

    @property
    def order_ids(self) -> tuple[OrderId, ...]:
        """The ids of its orders."""
        return (self.order_id,)

    @property
    def is_undecided(self) -> bool:
        """Is the outcome of an order in it still open, as it enters the window?"""
        return self.stage is Stage.WAITING

    @property
    def is_suspect(self) -> bool:
        """Has it failed alone so often that it waits while others go on?"""
        return self.alone >= SUSPECT

    def assign(self) -> None:
        """It gets a turn."""
        self.stage = Stage.ASSIGNED

    def start(self, at: float, gap_seconds: float | None) -> None:
        """An attempt starts, so many seconds after the one before it."""
        self.stage = Stage.STARTED
        self.attempts += 1
        self.started_at = at
        self.first_attempt_at = self.first_attempt_at or at
        self.gap_seconds = gap_seconds

    def wait(self) -> None:
        """Its turn is lost."""
        self.stage = Stage.WAITING

    def fail(self, at: float, *, others_passed: bool) -> None:
        """Its attempt got no usable answer; `others_passed`: while those of others did."""
        self.stage = Stage.WAITING
        self.failures += 1
        self.alone += others_passed or self.failures == 1
        self.failed_at = at

    def note_answer(self, status: int | None, reason: str, answer: str = "") -> None:
        """Keep what the API said, for a dead letter."""
        self.status, self.reason, self.answer = status, reason, answer

    def finish(self, outcome: Outcome) -> None:
        """Its outcome is known."""
        self.stage, self.outcome = Stage.DONE, outcome

    def settle(self) -> None:
        """A settle with it is on its way."""
        self.stage = Stage.SETTLING

    def settle_failed(self) -> None:
        """The settle is to be made again."""
        self.stage = Stage.DONE

    def settled(self) -> None:
        """The ledger has it."""
        self.stage = Stage.SETTLED
        if self.batch:
            self.batch.part_settled()
