"""Which orders of a batch go into its next request?

A batch holds the orders of a lane with the same number: with 100 orders a request, the first
hundred of the lane have number 0, the next ones 1, and so on. Of these, a request holds the orders
that are not settled, in their order, up to the second one of an id, or up to the half of what the
API refused as a whole. So a process that starts anew makes the same requests, with the same bytes
and keys: what is not settled is in the ledger, and what was refused as a whole is refused again.
For that, an outcome of a part is settled before the rest of the batch is sent.

A batch that fails, with no other in hand to compare it with, is compared with itself: its halves
and its orders are tried in turn.
"""

from dataclasses import dataclass, field

from consumer.delivery.entries import Entry, OrderId, Stage
from orders.outcome import Outcome


@dataclass(slots=True, eq=False)
class Batch(Entry):
    """Orders of one lane that are sent together; in the window it is one entry.

    Its orders are entries of their own in the lane and for settling, and no entries of the window.
    The base's line, prev and ordinal are those of its first order.

    number: see above. pending: its orders without an outcome, in order; unsettled: how many of its
    orders the ledger does not have. limit: how many of them go into one request, at most; None:
    any. under_way: the orders of the last request. ids: its orders' ids when it entered the window.
    is_searched: the one that fails is looked for.
    is_let_in: it entered the window before it was complete. closes_at: and is sent then, at the
    latest; None: that is not counted yet.
    """

    number: tuple[int, int] = (0, 0)
    pending: list[Entry] = field(default_factory=list)
    unsettled: int = 0
    limit: int | None = None
    under_way: tuple[Entry, ...] = ()
    ids: tuple[OrderId, ...] = ()
    is_searched: bool = False
    is_let_in: bool = False
    closes_at: float | None = None

    @classmethod
    def begin(cls, first: Entry, number: tuple[int, int]) -> "Batch":
        """A batch with its first order; more may be added until it is closed."""
        batch = cls(first.position, first.key, first.prev, first.line, first.ordinal, number=number)
        batch.stage = Stage.FILLING
        batch.add(first)
        return batch

    def add(self, order: Entry) -> None:
        """Add an order behind the others."""
        order.batch = self
        self.pending.append(order)
        self.unsettled += 1
        self.may_have_arrived |= order.may_have_arrived

    def closed(self) -> "Batch":
        """It gets no more orders."""
        self.stage = Stage.WAITING
        return self

    @property
    def name(self) -> str:
        """See Entry.name."""
        orders = self.under_way or tuple(self.pending)
        if len(orders) == 1:
            return orders[0].name
        return f"{orders[0].name}-{orders[-1].line}" if orders else "an empty batch"

    @property
    def orders(self) -> int:
        """See Entry.orders."""
        return self.unsettled

    @property
    def order_ids(self) -> tuple[OrderId, ...]:
        """See Entry.order_ids."""
        return self.ids

    @property
    def is_undecided(self) -> bool:
        """See Entry.is_undecided."""
        return bool(self.pending)

    def enter_window(self) -> None:
        """Its orders' ids are read."""
        self.ids = tuple(dict.fromkeys(order.order_id for order in self.pending))
        self.order_id = self.ids[0] if self.ids else OrderId("")

    def next_orders(self) -> tuple[Entry, ...]:
        """The orders of the next request. Two with one id never go into one."""
        chosen: dict[OrderId, Entry] = {}
        for order in self.pending[: self.limit]:
            if order.order_id in chosen:
                break
            chosen[order.order_id] = order
        return tuple(chosen.values())

    def start(self, at: float, gap_seconds: float | None) -> None:
        """See Entry.start."""
        Entry.start(self, at, gap_seconds)
        self.under_way = self.next_orders()
        for order in self.under_way:
            order.attempts += 1
            order.started_at = at
            order.first_attempt_at = order.first_attempt_at or at

    def halve(self) -> None:
        """Send half as many orders next: the last request held one that is to be found."""
        self.limit = (len(self.under_way) + 1) // 2
        self.stage, self.retry_at = Stage.WAITING, 0.0

    def search(self) -> None:
        """It failed: find out which order does that, by sending fewer, and one beside another."""
        self.is_searched, self.alone = True, 0
        first = self.under_way[0].order_id
        if len(self.under_way) > 1:
            self.halve()
        elif all(order.order_id != first for order in self.pending[1:]):
            self.pending.append(self.pending.pop(0))

    def note_outcomes(self) -> bool:
        """Some of its orders may have an outcome now; True where one has.

        What is left waits until the ledger knows of it.
        """
        left = [order for order in self.pending if order.outcome is None]
        if len(left) == len(self.pending):
            return False
        self.is_searched &= all(order.outcome is not Outcome.REFUSED for order in self.pending)
        if not (self.is_searched and self.limit):
            self.limit = None
        elif not any(order.failures for order in left):  # else that one is tried by itself again
            self.limit *= 2
        if not left:
            self.outcome = self.pending[-1].outcome
        self.pending = sorted(left, key=lambda order: order.line)
        self.failures, self.alone, self.retry_at = 0, 0, 0.0
        self.stage = Stage.SETTLING if left else Stage.DONE
        return True

    def part_settled(self) -> None:
        """The ledger has one more of its orders."""
        self.unsettled -= 1
        if not self.unsettled:
            self.stage = Stage.SETTLED
        elif self.unsettled == len(self.pending) and self.stage is Stage.SETTLING:
            self.stage = Stage.WAITING
