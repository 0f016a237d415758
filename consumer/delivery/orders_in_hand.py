"""Which orders are in hand, and how do they get their outcome?"""

from collections.abc import Iterable

from consumer.delivery.batch import Batch
from consumer.delivery.batching import Batching
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.earlier_owner import begun_before
from consumer.delivery.entries import Entry, OrderId, Stage, StreamRecord
from consumer.delivery.events import Observer, OrdersMissing, RepeatsSkipped
from consumer.delivery.lanes_in_hand import LanesInHand, lane_key_of
from consumer.delivery.pace_view import PaceView
from consumer.delivery.settle_queue import SettleQueue
from consumer.delivery.window import Window
from ledger.pace.pace import Blocker, BlockReason
from ledger.uploads.dead_letter import UNREADABLE
from orders.envelope import EndMarker, OrderEnvelope, UnknownVersion, Unreadable, order_id_of
from orders.outcome import Outcome


class OrdersInHand:
    """The entries from the stream on, until the ledger has them."""

    def __init__(self, settings: DeliverySettings, view: PaceView, observe: Observer) -> None:
        self.settings = settings
        self.view = view
        self.window = Window(settings.window_size_max, self._open)
        self.lanes = LanesInHand()
        self.settles = SettleQueue(self.lanes)
        self.batching: Batching | None = None
        if settings.batch_orders > 1:
            self.batching = Batching(
                self.window,
                self.view,
                self.lanes,
                orders=settings.batch_orders,
                linger_seconds=settings.batch_linger_seconds,
            )
        self._observe = observe
        self._doubtful: int | None = None  # orders to come that an earlier owner may have begun
        self._doubted: list[Entry] = []  # and those of them that came

    # --- from the stream --------------------------------------------------------------------------

    def take(self, records: Iterable[StreamRecord], now: float) -> None:
        """Put records behind the queue, in stream order. Their lanes must have begun."""
        if self._doubtful is None:
            self._doubtful = begun_before(self.view.pace, self.settings, now)
        for record in records:
            entries = self._entries(record)
            for entry in entries:
                if entry.stage is Stage.SETTLED:
                    self._observe(RepeatsSkipped(1))
                elif entry.key:
                    track = self.lanes[entry.key]
                    track.in_hand[entry], track.was_used = None, True
            self._queue(entries)

    def _queue(self, entries: list[Entry]) -> None:
        if self.batching is None:
            self.window.queue.extend(entries)
            return
        for entry in entries:
            self.batching.add(entry)
        self.window.taken = entries[-1].position

    def _entries(self, record: StreamRecord) -> list[Entry]:
        position, item = record.position, record.item
        match item:
            case OrderEnvelope():
                entries = self.lanes[lane_key_of(item)].take_order(item, position)
                if self._doubtful and entries[-1].stage is not Stage.SETTLED:
                    # An attempt of the process before this one may have got through unseen.
                    entries[-1].may_have_arrived = True
                    self._doubted.append(entries[-1])
                    self._doubtful -= 1
                return entries
            case EndMarker():
                return self.lanes[lane_key_of(item)].take_end(item, position)
            case Unreadable(reason):
                entry = Entry(position, None, 0, 0, 0, body=record.data, reason=reason)
                entry.finish(Outcome.REFUSED)
                return [entry]
            case UnknownVersion(version):
                reason = f"envelope version {version}: start a release that can read it"
                return [Entry(position, None, 0, 0, 0, stage=Stage.BLOCKED, reason=reason)]

    def maybe_begun(self) -> int:
        """How many orders, from the first unsettled one on, hold all that may have been sent.

        Orders that an earlier owner may have begun are among them, whether they came yet or not.
        """
        self._doubted = [entry for entry in self._doubted if entry.stage is not Stage.SETTLED]
        queued = sum(not entry.order_id and not entry.outcome for entry in self._doubted)
        return self.window.maybe_begun() + queued + (self._doubtful or 0)

    # --- to their outcome -------------------------------------------------------------------------

    def _open(self, entry: Entry) -> None:
        """Make an entry ready that enters the window."""
        if isinstance(entry, Batch):
            self._open_batch(entry)
        elif entry.stage is Stage.DONE:
            if entry.never_came and entry.key:
                if self.lanes[entry.key].is_cancelled:  # so they are not missed
                    entry.outcome = Outcome.CANCELLED
                else:
                    self._observe(OrdersMissing(entry.key, entry.count))
            self._collect(entry)
        elif entry.stage is Stage.WAITING and not (self.finish_unsent(entry) or _has_id(entry)):
            self.finish(entry, Outcome.REFUSED)

    def _open_batch(self, batch: Batch) -> None:
        """Make a batch ready, as far as it may get no more orders."""
        if batch.stage is Stage.FILLING:
            batch.is_let_in = True
            return
        self.finish_unsent(batch)
        for order in batch.pending:
            if not _has_id(order):
                self._finish_part(order, Outcome.REFUSED)
        self.window.have_outcomes(batch)
        batch.enter_window()

    def unsent_outcome(self, entry: Entry) -> Outcome | None:
        """The outcome of an order that no attempt is to be made for, None where one is.

        Of a batch: the outcome of at least one of its orders.
        """
        if entry.key and self.lanes[entry.key].is_cancelled:
            return Outcome.CANCELLED
        set_aside = self.view.pace.set_aside
        if not set_aside:
            return None
        orders = entry.pending if isinstance(entry, Batch) else (entry,)
        return Outcome.REFUSED if any(order.name in set_aside for order in orders) else None

    def finish_unsent(self, entry: Entry) -> bool:
        """Finish an order that no attempt is to be made for; False where one is."""
        outcome = self.unsent_outcome(entry)
        if isinstance(entry, Batch):
            return outcome is not None and self._finish_unsent_parts(entry, outcome)
        if outcome is Outcome.REFUSED:
            entry.reason = f"set aside: {self.view.pace.set_aside[entry.name]}"
        if outcome:
            self.finish(entry, outcome)
        return outcome is not None

    def _finish_unsent_parts(self, batch: Batch, outcome: Outcome) -> bool:
        """Finish the orders of a batch that no attempt is to be made for; True: that is all."""
        set_aside, outcomes = self.view.pace.set_aside, list[tuple[Entry, Outcome]]()
        for order in batch.pending:
            if outcome is Outcome.CANCELLED:
                outcomes.append((order, outcome))
            elif order.name in set_aside:
                order.reason = f"set aside: {set_aside[order.name]}"
                outcomes.append((order, outcome))
        self.finish_parts(batch, outcomes)
        return not batch.pending

    def finish_parts(self, batch: Batch, outcomes: Iterable[tuple[Entry, Outcome]]) -> None:
        """The outcomes of some orders of a batch, or of all, are known."""
        for order, outcome in outcomes:
            self._finish_part(order, outcome)
        self.window.have_outcomes(batch)

    def _finish_part(self, order: Entry, outcome: Outcome) -> None:
        order.finish(outcome)
        if self.view.pace.set_aside:
            self.view.forget_set_aside(order.name)
        self._collect(order)

    def finish_cancelled(self) -> None:
        """Uploads were cancelled, or orders set aside: finish those that wait."""
        for entry in list(self.window.active):
            if entry.stage is Stage.WAITING:
                self.finish_unsent(entry)

    def finish(self, entry: Entry, outcome: Outcome) -> None:
        """An order's outcome is known."""
        entry.finish(outcome)
        self.window.is_done(entry)
        if self.view.pace.set_aside:
            self.view.forget_set_aside(entry.name)
        self._collect(entry)

    def _collect(self, entry: Entry) -> None:
        """Have it settled; too many refusals block sending before the next order."""
        self.settles.add(entry)
        if entry.key is None or entry.outcome is None:
            return
        blocker = self.lanes[entry.key].count(
            entry.outcome, entry.count, self.view.pace, self.settings.refusal_budget
        )
        if blocker:
            self.view.block(_budget_of(entry.key.upload), blocker)

    def is_budget_spent(self, entry: Entry) -> bool:
        """Do refusals of its upload block sending?"""
        return bool(entry.key and _budget_of(entry.key.upload) in self.view.pace.blockers)

    # --- where a person must act ------------------------------------------------------------------

    def block_where_stuck(self, now: float) -> None:
        """Block sending where what is in hand cannot be settled until a person acts.

        That is a settle which the ledger refuses, while it does; or nothing is left before a
        record that only a later release can read, which no order may overtake. A resume changes
        neither, so the blocker is set again after it.
        """
        if self.view.is_superseded:
            return  # the shard's blockers are its new owner's
        if self.settles.unwritable or self.view.pace.blockers:
            self._block_where_unwritable()
        blocked, batching = self.window.blocked, self.batching
        if blocked and not (self.window.span or (batching and batching.are_in_window)):
            blocker = Blocker(BlockReason.LATER_RELEASE, blocked.reason, now)
            self.view.block(f"{self.settings.shard} envelope", blocker)

    def _block_where_unwritable(self) -> None:
        prefix, refused = f"{self.settings.shard} settle ", set[str]()
        for key, blocker in self.settles.unwritable.items():
            name = prefix + (f"{key.upload}/{key.lane}" if key else UNREADABLE)
            refused.add(name)
            self.view.block(name, blocker)
        for name in list(self.view.pace.blockers):
            if name.startswith(prefix) and name not in refused:
                self.view.unblock(name)


def _budget_of(upload: str) -> str:
    """The name of its blocker."""
    return f"refusal budget of {upload}"


def _has_id(order: Entry) -> bool:
    """Read an order's id, from its envelope or its body; False, and why, where it has none."""
    order_id = order.carried_id or order_id_of(order.body)
    if order_id is None:
        order.reason = "the order's body has no readable order_id"
        return False
    order.order_id = OrderId(order_id)
    return True
