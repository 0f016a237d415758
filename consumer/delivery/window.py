"""Which orders are in hand, and which of them may be sent next?"""

from collections import deque
from collections.abc import Callable, Iterable
from math import ceil

from consumer.delivery.batch import Batch
from consumer.delivery.entries import Entry, OrderId, Stage, StreamPosition
from consumer.delivery.latency import Latency

EXPECTED_SECONDS = 4.0
"""An attempt without an answer makes the window grow up to this latency."""
CONNECTION_SECONDS = 0.000_4
"""Without a rate, one more attempt in flight for each such share of the API's best latency."""
FAILURES_EXPONENT_MAX = 4
"""However many orders fail, after so many powers of two failures of each another one is tried."""


class Window:
    """The span of unsettled orders in hand, in stream order, and the queue behind it.

    Two orders with one id never are on their way together: of an id only the first order of the
    window may start. An entry that needs no attempt takes no room.

    Behind the orders that may be on their way or unsettled, the next ones are opened ahead, so that
    turns can be reserved for them.

    size: how many orders must be in hand so that no turn is wasted, from 1 to `size_max`.
    failed: how many of the undecided orders have failed; they take no room from the others.
    begun: how many orders of the span an attempt was made for.
    """

    def __init__(self, size_max: int, open_entry: Callable[[Entry], None]) -> None:
        """`open_entry` reads an entry's order id, or finishes what needs no attempt."""
        self._open = open_entry
        self._latency = Latency(32, 0.0)
        self.size = 1
        self.size_max = size_max
        self.queue: deque[Entry] = deque()
        self.active: deque[Entry] = deque()
        self.span = 0
        self.failed = 0
        self.begun = 0
        self.frontier: StreamPosition | None = None
        self.taken: StreamPosition | None = None  # the last record, where batches hold several
        self._undecided: dict[Entry, None] = {}  # in stream order; of `active`, most are decided
        self._first_of_id: dict[OrderId, deque[Entry]] = {}

    def answered(self, seconds: float) -> None:
        """An attempt was answered in so many seconds."""
        self._latency.add(seconds)

    def resize(
        self, per_second: float | None, *, unanswered_seconds: float, settle_seconds: float
    ) -> bool:
        """Find the size: rate x (latency + settle); without a rate, the most. True: it changed.

        unanswered_seconds: how long the oldest attempt is on its way, which counts up to
        EXPECTED_SECONDS only, so that an API that hangs does not get the whole window sent into it.
        """
        size = self.size_max
        if per_second is not None:
            latency = max(self._latency.worst, min(unanswered_seconds, EXPECTED_SECONDS))
            size = min(size, max(1, ceil(per_second * (latency + settle_seconds))))
        changed, self.size = size != self.size, size
        return changed

    @property
    def connections(self) -> int:
        """How many attempts are worth having in flight without a rate: a slow API takes many."""
        return min(self.size_max, 2 + int(self._latency.least / CONNECTION_SECONDS))

    def activate(self, *, ahead: int) -> None:
        """Let entries from the queue in while there is room for orders, and so many more."""
        self.pop_settled()
        span = self.size + self.failed + ahead
        while self._has_next and (self.span < span or self.queue[0].stage is not Stage.WAITING):
            self._activate_next()
        self.pop_settled()

    @property
    def blocked(self) -> Entry | None:
        """The entry that nothing behind it may overtake, once it is the next one."""
        return self.queue[0] if self.queue and self.queue[0].stage is Stage.BLOCKED else None

    @property
    def _has_next(self) -> bool:
        return bool(self.queue) and self.queue[0].stage is not Stage.BLOCKED

    def candidate(self, now: float) -> Entry | None:
        """The first order that may start; a suspect waits while there are others.

        For them the window is widened, up to its greatest size.
        """
        first = None
        for entry in self.startable():
            if self.is_full and not self.takes_no_room(entry):
                break
            if entry.retry_at <= now:
                return entry
            first = first or entry
        if first and self.span < self.size_max:
            other = self._other_than(first)
            if other and other.retry_at <= now:
                return other
        return first

    def probe_candidate(self, *, other_next: bool) -> Entry | None:
        """Probes alternate between the head, once it failed, and the next order with another id."""
        head = next(iter(self.startable()), None)
        if head is None or not head.failures or not other_next:
            return head
        return self._other_than(head) or head

    def _other_than(self, head: Entry) -> Entry | None:
        """The order to try beside `head`: it has another id and failed least.

        The window is widened for it, beyond its size if need be, only where there is none, or where
        those that there are have failed often: twice the first, four times two of them, and so on.
        So a long outage touches few orders, and however many bad ones there are, and wherever they
        are, there comes one to compare them with. Those that failed while others passed do not
        count: that happens in no outage.
        """
        while True:
            others = [e for e in self.startable() if e.order_id != head.order_id]
            unblamed = [e for e in others if not e.is_suspect]
            least = min(unblamed or others, key=lambda e: e.failures, default=None)
            limit = 2 ** min(len(unblamed), FAILURES_EXPONENT_MAX) if unblamed else 0
            if (least and least.failures < limit) or not self._has_next:
                if least:
                    least.is_compared = True
                return least
            self._activate_next()

    def _activate_next(self) -> None:
        entry = self.queue.popleft()
        self.active.append(entry)
        if entry.stage is not Stage.SETTLED:
            self.let_in(entry)

    def let_in(self, entry: Entry) -> None:
        """An entry enters the window; a batch that may get more orders does so again, once full."""
        self._open(entry)
        if entry.stage is Stage.FILLING or not entry.is_undecided:
            return
        self.span += 1
        self._undecided[entry] = None
        if self.active[-1] is not entry:  # others of the stream's order entered before it was full
            self._undecided = {e: None for e in self.active if e in self._undecided}
        for order_id in entry.order_ids:
            same_id = self._first_of_id.setdefault(order_id, deque())
            entry.behind += bool(same_id)
            same_id.append(entry)

    @property
    def is_full(self) -> bool:
        """Are as many orders sent and not settled as the size allows, beside those that fail?"""
        return self.begun >= self.size + self.failed

    def takes_no_room(self, entry: Entry) -> bool:
        """Was it sent before, is it the first, or was it let in to be compared with a bad one?"""
        return entry.attempts > 0 or entry is self.active[0] or entry.is_compared

    def begins(self, entry: Entry) -> None:
        """An attempt is made for an order; `attempts` counts it already."""
        self.begun += entry.attempts == 1

    def startable(self) -> Iterable[Entry]:
        """Orders that may start, in stream order."""
        return (entry for entry in self._undecided if self._may_start(entry))

    def maybe_begun(self) -> int:
        """How many unsettled orders the window holds, without those at its end that may start.

        Those that an attempt was made for are among them, or are given a turn next.
        """
        begun = free = 0
        for entry in self.active:
            if entry.stage is Stage.SETTLED or not entry.is_order:
                continue
            if entry.attempts or entry.may_have_arrived:
                begun, free = begun + free + entry.orders, 0
            elif self._may_start(entry) or entry.stage in (Stage.ASSIGNED, Stage.FILLING):
                free += entry.orders
            else:
                begun += entry.orders
        return begun

    def _may_start(self, entry: Entry) -> bool:
        return entry.stage is Stage.WAITING and not entry.behind

    def to_retry_before(self, entry: Entry, now: float) -> Entry | None:
        """The first order before this one in the stream that was refused once and may go now."""
        for other in self._undecided if self.failed else ():
            if other is entry:
                break
            is_ready = other.stage in {Stage.WAITING, Stage.ASSIGNED} and other.retry_at <= now
            if is_ready and other.alone == 1:
                return other
        return None

    def is_done(self, entry: Entry) -> None:
        """The order's outcome is known: the next one with its id may start."""
        if entry not in self._undecided:
            return
        del self._undecided[entry]
        self.failed -= bool(entry.failures)
        for order_id in entry.order_ids:
            same_id = self._first_of_id[order_id]
            was_first = same_id[0] is entry
            same_id.remove(entry)
            if not same_id:
                del self._first_of_id[order_id]
            elif was_first:
                same_id[0].behind -= 1

    def pop_settled(self) -> None:
        """Let the window begin at its first unsettled entry; the frontier follows."""
        active = self.active
        while active and active[0].stage is Stage.SETTLED:
            entry = active.popleft()
            if entry.order_id:
                self.span -= 1
                self.begun -= bool(entry.attempts)
            if not entry.never_came:  # it shares the position of what follows it
                self.frontier = entry.position
        if self.taken and not (active or self.queue):
            self.frontier = self.taken

    @property
    def last(self) -> Entry | None:
        """The entry that the next one is put behind."""
        return self.queue[-1] if self.queue else self.active[-1] if self.active else None

    def is_only(self, entry: Entry) -> bool:
        """Is no other order in hand that could be sent?"""
        return not self.queue and self._undecided.keys() == {entry}

    def have_outcomes(self, batch: Batch) -> None:
        """Some orders of a batch, or all, may have an outcome now."""
        had_failed = bool(batch.failures)
        if batch.note_outcomes() and batch in self._undecided:
            self.failed -= had_failed
            if not batch.pending:
                self.is_done(batch)

    @property
    def unsettled(self) -> int:
        """Entries in hand that hold up the frontier."""
        return len(self.active) + len(self.queue)
