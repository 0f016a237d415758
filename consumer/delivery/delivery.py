"""What is to be done next so that every order in hand is sent once, in its turn?

A state machine: `take` gives it records, `next` hands out one action at a time, and `ended` tells
it the result of a ledger call. A Send is handled by the dispatcher, until its attempt has ended.
It knows no clock, socket, thread or ledger; its driver calls it under one lock. All times are
seconds since the epoch.

    Delivery        takes records, hands out actions, takes in their results
    Dispatcher      attempts: who is next, in which turn, and what follows from the result
    OrdersInHand    entries: what a record is, and how an order gets its outcome
    SettleQueue     what is to be settled in the ledger, and when
    PaceView        what is known of the pace, and which changes are to be written
"""

from collections.abc import Iterable

from consumer.delivery import actions
from consumer.delivery.batching import lane_name
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.dispatcher import Dispatcher
from consumer.delivery.entries import StreamPosition, StreamRecord
from consumer.delivery.events import HeldFor, Observer
from consumer.delivery.lanes_in_hand import LanesInHand
from consumer.delivery.orders_in_hand import OrdersInHand
from consumer.delivery.pace_view import PaceView
from consumer.delivery.settle_queue import NEVER
from consumer.delivery.starts import Starts
from ledger.errors import LedgerError
from ledger.pace.pace import Pace
from ledger.uploads.lane import Lane

REFRESH_SECONDS = 0.47
"""The pace item is read at least this often, so that every change is seen within a second.

It is no fraction of a second, so that the answers' Date headers show well where a second begins."""


class Delivery:
    """The orders of one shard on their way from the stream to the API."""

    def __init__(
        self,
        settings: DeliverySettings,
        pace: Pace,
        observe: Observer,
        starts: Starts | None = None,
    ) -> None:
        """`starts`: those of this machine; None: no other process sends from it."""
        self.settings = settings
        self._view = PaceView(settings.shard, settings.token, pace)
        self._orders = OrdersInHand(settings, self._view, observe)
        self.dispatcher = Dispatcher(self._orders, observe, starts)
        self._observe = observe
        self._is_refreshing = False
        self._refreshed_at = 0.0

    # --- what comes from the stream ---------------------------------------------------------------

    @property
    def lanes(self) -> LanesInHand:
        """The lanes in hand: before records are taken, those `unread` must begin."""
        return self._orders.lanes

    def take(self, records: Iterable[StreamRecord], now: float) -> None:
        """Put records in hand, in stream order. Their lanes must have begun."""
        self._orders.take(records, now)
        self.dispatcher.fill(now)

    # --- state ------------------------------------------------------------------------------------

    @property
    def unsettled(self) -> int:
        """Entries in hand that hold up the frontier."""
        return self._orders.window.unsettled

    @property
    def has_room(self) -> bool:
        """Is at most one window unsettled, so that more records may come?

        Beside an order that fails, another one must be in hand to compare it with.
        """
        window = self._orders.window
        if window.failed and not window.queue:
            return True
        return self.unsettled <= self.settings.window_size_max

    @property
    def frontier(self) -> StreamPosition | None:
        """The position up to which everything taken is settled."""
        return self._orders.window.frontier

    @property
    def is_quiet(self) -> bool:
        """Is no attempt on its way and nothing left to tell the ledger?"""
        return not (self.dispatcher.in_flight or self._orders.settles.is_pending)

    @property
    def maybe_begun(self) -> int:
        """How many orders, from the first unsettled one on, hold all that may have been sent."""
        return self._orders.maybe_begun()

    @property
    def is_superseded(self) -> bool:
        """Does another process own the shard now?"""
        return self._view.is_superseded

    @property
    def pace(self) -> Pace:
        """The pace as this process knows it."""
        return self._view.pace

    def state(self, now: float) -> tuple[str, str]:
        """What this shard does, and why: `running`, `idle`, `held`, `paused` or `blocked`."""
        standstill, closed = self._view.standstill(now), self._view.closed(now)
        if standstill in {"blocked", "paused"}:
            return standstill, closed.reason if closed else ""
        hold = self._view.pace.hold
        if hold:
            return ("blocked" if hold.needs_person else "held"), hold.why
        if standstill:
            return "held", standstill
        return ("running" if self.unsettled else "idle"), ""

    # --- what to do next --------------------------------------------------------------------------

    def next(self, now: float) -> actions.Action | None:
        """One action that can be done now, None where there is none before `due`."""
        change = self._view.next_change()
        if change:
            return change
        if not self._is_refreshing and now >= self._refreshed_at + REFRESH_SECONDS:
            self._is_refreshing = True
            return actions.Refresh(self.lanes.to_refresh())
        if self._orders.batching:
            self._orders.batching.close_overdue(now)
        return self._settle(now) or self.dispatcher.next(now)

    def due(self) -> float:
        """When to ask `next` again, if nothing else happens before."""
        refresh = NEVER if self._is_refreshing else self._refreshed_at + REFRESH_SECONDS
        batching = self._orders.batching
        return min(refresh, self.settle_due(), batching.due() if batching else NEVER)

    def settle_due(self) -> float:
        """When the next settle is due."""
        return self._orders.settles.due()

    def _settle(self, now: float) -> actions.Settle | None:
        settles = self._orders.settles
        if not settles.count:
            return None
        if self._view.is_unlimited(now) and self._refreshed_at <= now - REFRESH_SECONDS:
            return None  # without turns, the fence is checked by a refresh before a settle
        return settles.next(now, at_once=self._is_pressed(), resumed=self._view.pace.resumed)

    def _is_pressed(self) -> bool:
        """Does the window wait for a settle, or will it soon? Then it is made at once."""
        if self.dispatcher.is_stopping:
            return True
        window, settles = self._orders.window, self._orders.settles
        is_cramped = window.size == window.size_max > 1  # it cannot grow with what settling takes
        enough = window.size / 2 if is_cramped else window.size
        return window.begun >= enough and settles.count * 2 >= window.begun

    def stop(self) -> None:
        """Start no more attempts; those on their way are finished and settled."""
        self.dispatcher.is_stopping = True

    # --- results ----------------------------------------------------------------------------------

    def ended(
        self,
        action: actions.LedgerAction,
        result: actions.LedgerResult,
        *,
        now: float,
        seconds: float,
    ) -> None:
        """A ledger call ended, after so many seconds. What failed is handed out again."""
        match result:
            case LedgerError():
                self._failed(action, result, now)
            case actions.TurnsReserved(reservation, pace):
                self.dispatcher.reserver.ended(reservation, pace, now)
                self.dispatcher.drop_void()
            case Pace():
                self._view.change_ended(is_written=True)
                self._see(result, now)
            case actions.Refreshed():
                self._refreshed(result, now, seconds)
            case Lane() | None:
                self._orders.settles.settled(result, seconds)
                if result and result.ended:
                    self._view.forget_batch_ends(lane_name(result.key))
                self.dispatcher.fill(now)

    def _failed(self, action: actions.LedgerAction, error: LedgerError, now: float) -> None:
        match action:
            case actions.Settle(lane):
                self._orders.settles.failed(lane.key if lane else None, error, now)
                self._orders.block_where_stuck(now)
            case actions.Reserve():
                self.dispatcher.reserver.failed()
            case actions.Refresh():  # the next one is tried after the usual time
                self._is_refreshing, self._refreshed_at = False, now
            case _:
                self._view.change_ended(is_written=False)

    def _refreshed(self, result: actions.Refreshed, now: float, seconds: float) -> None:
        self._is_refreshing = False
        standstill = self._view.standstill(now)
        if standstill and self._refreshed_at and self.unsettled:
            self._observe(HeldFor(standstill, now - self._refreshed_at))
        self._refreshed_at = now
        self._view.seen_at = max(self._view.seen_at, now - seconds)
        self._see(result.pace, now)
        self.lanes.cancel(result.cancelled)
        self._orders.finish_cancelled()
        self.dispatcher.fill(now)

    def _see(self, pace: Pace, now: float) -> None:
        self._view.see(pace, now)
        self.dispatcher.drop_void()
