"""What does an API do that does whatever it is told, and is what it receives what it may receive?

It takes no order back: what it took once, it answers so again.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from consumer.delivery.attempts import (
    Accepted,
    Answered,
    Attempt,
    Conflict,
    OrderAttempt,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from consumer.delivery.batch import Batch
from consumer.delivery.entries import Entry
from orders.upload import UploadId
from sandbox.simulation.world import SimulatedRequest

HANG_SECONDS = 10.0
FAILED_ALONE = 3
HAIR = 1e-6


class Mood(Enum):
    """What the API does with an attempt."""

    TAKE = auto()
    TAKE_LATE = auto()
    TAKE_AND_HANG = auto()
    REFUSE = auto()
    HANG = auto()
    DOWN = auto()
    UNREACHABLE = auto()
    SAY_WAIT = auto()
    SAY_WAIT_LONG = auto()
    FORBID = auto()


TAKING = {Mood.TAKE, Mood.TAKE_LATE, Mood.TAKE_AND_HANG}
ANSWERS: dict[Mood, tuple[float, OrderAttempt]] = {
    Mood.TAKE: (0.15, Accepted(200)),
    Mood.TAKE_LATE: (2.6, Accepted(201)),
    Mood.TAKE_AND_HANG: (HANG_SECONDS, Unavailable(None, "no answer", may_have_arrived=True)),
    Mood.REFUSE: (0.15, Refused(422, "the API answered 422", "")),
    Mood.HANG: (HANG_SECONDS, Unavailable(None, "no answer", may_have_arrived=True)),
    Mood.DOWN: (0.15, Unavailable(503, "the API answered 503", may_have_arrived=True)),
    Mood.UNREACHABLE: (0.01, Unavailable(None, "no connection", may_have_arrived=False)),
    Mood.SAY_WAIT: (0.15, Throttled(None, "the API answered 429")),
    Mood.SAY_WAIT_LONG: (0.15, Throttled(8.0, "the API answered 429")),
    Mood.FORBID: (0.15, Unauthorized(401, "the API answered 401")),
}


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order that the API may receive; several of an upload may have one order id."""

    upload: UploadId
    lane: int
    line: int
    order_id: str

    @property
    def name(self) -> str:
        """See Entry.name."""
        return f"{self.upload}/{self.line}"


@dataclass
class Retired:
    """What a process may still start that lost its shard: its turns (None: any), up to `until`."""

    turns: int | None
    until: float

    def use_turn(self) -> None:
        """It made a request."""
        if self.turns is not None:
            self.turns -= 1


@dataclass
class CapriciousApi:
    """The API, and the judge of promises 2, 4 and 6: every breach of them is noted.

    moods: what it does next; after them, `mood`. says_conflict: it answers 409 for an order that it
    has. answers_for_each: it answers for each order of a batch. is_settled: does the ledger have
    this order for good? excused: how often an order may still come again, because its sender could
    not know that it had arrived.
    """

    is_settled: Callable[[KnownOrder], bool]
    orders: dict[str, KnownOrder] = field(default_factory=dict)
    mood: Mood = Mood.TAKE
    moods: deque[Mood] = field(default_factory=deque)
    says_conflict: bool = False
    answers_for_each: bool = False
    requests: list[SimulatedRequest] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    excused: Counter[str] = field(default_factory=Counter)
    retired: dict[str, Retired] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)
    _busy_until: dict[tuple[str, UploadId, str], float] = field(default_factory=dict)
    _attempts: Counter[str] = field(default_factory=Counter)

    def receive(self, entry: Entry, at: float, sender: str) -> tuple[float, Attempt]:
        """See SimulatedApi.receive."""
        sent = entry.under_way if isinstance(entry, Batch) else (entry,)
        orders = [self.orders[order.name] for order in sent]
        if sender in self.retired:
            self.retired[sender].use_turn()
        for order in orders:
            self._judge(order, at, sender)
        if isinstance(entry, Batch) and self.answers_for_each:
            answers = [self._answer([order]) for order in orders]
            latency_seconds = max(seconds for seconds, _ in answers)
            attempt: Attempt = Answered(tuple(answer for _, answer in answers))
        else:
            latency_seconds, attempt = self._answer(orders)
        for order in orders:
            self._attempts[order.name] += 1
            self._busy_until[sender, order.upload, order.order_id] = at + latency_seconds
        first, was_accepted = orders[0], all(order.name in self.taken for order in orders)
        self.requests.append(SimulatedRequest(at, entry.name, first.order_id, sender, was_accepted))
        return latency_seconds, attempt

    def _answer(self, orders: Sequence[KnownOrder]) -> tuple[float, OrderAttempt]:
        """One answer for these orders; it takes all of them or none."""
        mood = self.moods.popleft() if self.moods else self.mood
        latency_seconds, attempt = ANSWERS[mood]
        here = [order for order in orders if order.name in self.taken]
        if here and self.says_conflict and isinstance(attempt, Accepted | Refused):
            attempt = Conflict(409, "it is here")
        elif len(here) == len(orders) and isinstance(attempt, Refused):
            attempt = Accepted(200)
        elif mood in TAKING:
            self.taken.update(order.name for order in orders)
        elif mood is Mood.REFUSE and len(orders) == 1:
            self.refused.add(orders[0].name)
        is_told = isinstance(attempt, Accepted | Conflict if len(orders) == 1 else Accepted)
        for order in orders:
            if order.name in self.taken and not is_told:
                self.excused[order.name] += 1  # nobody told the sender that it is here
        return latency_seconds, attempt

    def _judge(self, order: KnownOrder, at: float, sender: str) -> None:
        if sender in self.retired:
            self._judge_retired(self.retired[sender], order, at, sender)
        elif order.name in self.taken:
            self.excused[order.name] -= 1
            if self.excused[order.name] < 0:
                self._breach(2, order, at, sender, "came again without need")
        if self._busy_until.get((sender, order.upload, order.order_id), 0.0) > at + HAIR:
            self._breach(4, order, at, sender, "came while another of its id was on its way")
        for other in self.orders.values():
            if _precedes(other, order) and not self._is_over(other):
                self._breach(4, order, at, sender, f"came before line {other.line} of its id")

    def _judge_retired(self, retired: Retired, order: KnownOrder, at: float, sender: str) -> None:
        """It may use up its turns; what it sends, its successor cannot know, and so sends again."""
        if at > retired.until + HAIR or (retired.turns is not None and retired.turns < 0):
            self._breach(6, order, at, sender, "came from a process that had lost its shard")
        self.excused[order.name] += 1

    def _is_over(self, order: KnownOrder) -> bool:
        if order.name in self.taken or order.name in self.refused:
            return True
        return self._attempts[order.name] >= FAILED_ALONE or self.is_settled(order)

    def _breach(self, promise: int, order: KnownOrder, at: float, sender: str, what: str) -> None:
        self.breaches.append(f"promise {promise}: at {at:.3f} {order} of {sender} {what}")


def _precedes(other: KnownOrder, order: KnownOrder) -> bool:
    return (
        other.order_id == order.order_id
        and other.upload == order.upload
        and other.line < order.line
    )
