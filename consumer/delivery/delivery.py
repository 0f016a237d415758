"""What is to be done next so that every order in hand is sent once, in its turn?

A state machine: `take` gives it records, `next` hands out one action at a time, and a method named
for each action's end tells it the result. It knows no clock, socket, thread or ledger; its driver
calls it under one lock. All times are seconds since the epoch.

    Delivery    takes records, hands out actions, routes their ends
    Dispatcher    attempts: who is next, in which turn, what came of it
    OrdersInHand        entries: what a record is, how an order comes to its outcome
    SettleQueue    what the ledger is told
    PaceView    what is known of the pace, and which changes are to be written
"""

from collections.abc import Collection, Iterable

from consumer.delivery.actions import Action, Refresh, Send, Settle
from consumer.delivery.attempts import Attempt
from consumer.delivery.dispatcher import Dispatcher
from consumer.delivery.entries import StreamPosition, StreamRecord
from consumer.delivery.events import HeldFor, Observer
from consumer.delivery.lane_tracks import LaneTrack
from consumer.delivery.orders_in_hand import DeliverySettings, OrdersInHand, key_of
from consumer.delivery.pace_view import PaceView
from consumer.delivery.settle_queue import NEVER
from consumer.delivery.starts import Starts
from consumer.delivery.turns import Verdict
from ledger.errors import LedgerError
from ledger.pace.pace import Pace
from ledger.pace.reservation import Reservation
from ledger.uploads.lane import Lane, LaneKey
from orders.envelope import EndMarker, OrderEnvelope

REFRESH_SECONDS = 0.47
"""The pace item is read at least this often, so that every change is seen within a second.

No fraction of a second: so the answers' Date headers tell the second's beginning well."""
REFRESH_UPLOADS = 8
"""At each look, so many uploads, in turn, are asked whether they are cancelled."""


class Delivery:
    """The orders of one shard on their way from the stream to the API."""

    def __init__(
        self,
        settings: DeliverySettings,
        pace: Pace,
        observe: Observer,
        starts: Starts | None = None,
    ) -> None:
        """Start with nothing in hand, beside the starts of this machine (None: there are none)."""
        self.settings = settings
        self._view = PaceView(settings.shard, settings.token, pace)
        self._hand = OrdersInHand(settings, self._view, observe)
        self._sending = Dispatcher(self._hand, observe, starts)
        self._observe = observe
        self._is_refreshing = False
        self._refreshed_at = 0.0
        self._asked = 0

    # --- what comes from the stream -------------------------------------------------------------

    def unknown_lanes(self, records: Iterable[StreamRecord]) -> list[LaneKey]:
        """The lanes whose rows the driver must read (`begin_lane`) before it gives the records."""
        items = [r.item for r in records if isinstance(r.item, OrderEnvelope | EndMarker)]
        return list(dict.fromkeys(key_of(item) for item in items if self._is_unknown(item)))

    def _is_unknown(self, item: OrderEnvelope | EndMarker) -> bool:
        """Must the row of an item's lane be read?

        No look asks whether a lane without an order in hand is cancelled, so an end marker has it
        read again: orders that never came are then cancelled, not missing.
        """
        track = self._hand.lanes.get(key_of(item))
        if track is None:
            return True
        return isinstance(item, EndMarker) and track.was_used and not track.in_hand

    def begin_lane(self, lane: Lane, *, is_cancelled: bool) -> None:
        """Start a lane where the ledger stands."""
        self._hand.lanes[lane.key] = LaneTrack.begin(lane, is_cancelled=is_cancelled)

    def take(self, records: Iterable[StreamRecord], now: float) -> None:
        """Put records in hand, in stream order. Their lanes must have begun."""
        self._hand.take(records, now)
        self._sending.fill(now)

    # --- how it stands --------------------------------------------------------------------------

    @property
    def unsettled(self) -> int:
        """Entries in hand that hold up the frontier."""
        return self._hand.window.unsettled

    @property
    def has_room(self) -> bool:
        """Is at most one window unsettled, so that more records may come?

        Beside an order that fails, another one must be at hand, to be compared with it.
        """
        window = self._hand.window
        if window.failed and not window.queue:
            return True
        return self.unsettled <= self.settings.window_max

    @property
    def frontier(self) -> StreamPosition | None:
        """The position up to which everything taken is settled."""
        return self._hand.window.frontier

    @property
    def is_quiet(self) -> bool:
        """Is no attempt on its way and nothing left to tell the ledger?"""
        is_pending = self._hand.settling.is_pending(self._hand.lanes)
        return not (self._sending.in_flight or is_pending)

    @property
    def maybe_begun(self) -> int:
        """How many orders, from the first unsettled one on, hold all that may have been sent."""
        return self._hand.maybe_begun()

    @property
    def has_room_to_send(self) -> bool:
        """Could one more attempt be on its way, if an order is ready?"""
        return self._sending.has_room

    @property
    def turns_held(self) -> tuple[float, ...]:
        """The turns that were reserved and that no order was given yet."""
        return tuple(turn.start for turn in self._sending.turns.held)

    @property
    def is_superseded(self) -> bool:
        """Does another process own the shard now?"""
        return self._view.is_superseded

    @property
    def turns_stamp(self) -> tuple[int, int]:
        """Changes whenever turns that were handed out may have become void."""
        return self._view.pace.epoch, self._view.pace.generation

    def state(self, now: float) -> tuple[str, str]:
        """What this shard does, and why: `running`, `idle`, `held`, `paused` or `blocked`."""
        closed = self._view.closed(now)
        standstill = self._view.standstill(now)
        if standstill in {"blocked", "paused"}:
            return standstill, closed.reason if closed else ""
        hold = self._view.pace.hold
        if hold:
            return ("blocked" if hold.needs_person else "held"), hold.why
        return ("running" if self.unsettled else "idle"), ""

    # --- what to do next ------------------------------------------------------------------------

    def next(self, now: float) -> Action | None:
        """One action that can be done now, None where there is none before `due`."""
        change = self._view.next_change()
        if change:
            return change
        if not self._is_refreshing and now >= self._refreshed_at + REFRESH_SECONDS:
            self._is_refreshing = True
            return Refresh(self._lanes_to_ask())
        return self._settle(now) or self._sending.next(now)

    def _lanes_to_ask(self) -> tuple[LaneKey, ...]:
        """A lane of each upload that has orders in hand; of many uploads, the next few."""
        lanes = self._hand.lanes
        keys = list({key.upload: key for key, track in lanes.items() if track.in_hand}.values())
        begin = self._asked % max(len(keys), 1)
        self._asked += REFRESH_UPLOADS
        return tuple((*keys[begin:], *keys[:begin])[:REFRESH_UPLOADS])

    def due(self) -> float:
        """When to ask `next` again, if nothing else happens before."""
        look = NEVER if self._is_refreshing else self._refreshed_at + REFRESH_SECONDS
        return min(look, self.settle_due())

    def settle_due(self) -> float:
        """When the next settle is due."""
        return self._hand.settling.due(self._hand.lanes)

    def _settle(self, now: float) -> Settle | None:
        settling = self._hand.settling
        if not settling.count:
            return None
        if self._view.is_unlimited(now) and self._refreshed_at <= now - REFRESH_SECONDS:
            return None  # without turns, the fence is checked by a look before a settle
        ready = settling.next(now, self._hand.lanes, at_once=self._is_pressed())
        if ready is None:
            return None
        return settling.begin(ready, self._hand.lanes, now, self._view.pace.resumed)

    def _is_pressed(self) -> bool:
        """Does the window wait for a settle, or will it soon? Then it is made at once."""
        if self._sending.is_stopping:
            return True
        begun, sizing = self._hand.window.begun, self._sending.sizing
        is_cramped = sizing.size == sizing.window_max > 1  # it cannot grow with what settling takes
        enough = sizing.size / 2 if is_cramped else sizing.size
        return begun >= enough and self._hand.settling.count * 2 >= begun

    def stop(self) -> None:
        """Start no more attempts; those on their way are finished and settled."""
        self._sending.is_stopping = True

    # --- how actions ended ----------------------------------------------------------------------

    def reserved(self, reservation: Reservation, pace: Pace, now: float) -> None:
        """A `Reserve` ended; `pace` is the item after it."""
        self._sending.reserving.ended(reservation, pace, now)
        self._sending.drop_void()

    def reserve_failed(self) -> None:
        """A `Reserve` could not be carried out."""
        self._sending.reserving.failed()

    def is_void(self, send: Send, now: float) -> bool:
        """Is the turn lost, so that `given_up` is to be called?"""
        return self._sending.is_void(send, now)

    def may_start(self, send: Send, now: float) -> Verdict | float:
        """GO: start at `send.at`; VOID: call `given_up`; a time: ask again then."""
        return self._sending.may_start(send, now)

    def sent(self, send: Send, late_seconds: float, took_seconds: float) -> None:
        """A `Send`'s request is on its way: from here on the next one keeps its distance.

        late_seconds: from `at` until it began to leave. took_seconds: from then until it had left.
        """
        self._sending.turns.sent(send, late_seconds, took_seconds)

    def given_up(self, send: Send, now: float) -> None:
        """A `Send` did not start."""
        self._sending.given_up(send, now)

    def ended(self, send: Send, attempt: Attempt, *, now: float, latency_seconds: float) -> None:
        """A `Send` made its attempt."""
        self._sending.ended(send, attempt, now=now, latency_seconds=latency_seconds)

    def pace_changed(self, pace: Pace, now: float) -> None:
        """A change of the pace was written; `pace` is the item after it."""
        self._view.change_made()
        self._see(pace, now)

    def pace_change_failed(self) -> None:
        """A change of the pace could not be written; it is handed out again."""
        self._view.change_failed()

    def refreshed(
        self, pace: Pace, cancelled: Collection[LaneKey], *, now: float, seconds: float
    ) -> None:
        """A `Look` ended; it took so many seconds, so that what it saw is at most that old."""
        self._is_refreshing = False
        standstill = self._view.standstill(now)
        if standstill and self._refreshed_at and self.unsettled:
            self._observe(HeldFor(standstill, now - self._refreshed_at))
        self._refreshed_at = now
        self._view.seen_at = max(self._view.seen_at, now - seconds)
        self._see(pace, now)
        self._hand.cancel(cancelled)
        self._sending.fill(now)

    def refresh_failed(self, now: float) -> None:
        """A `Look` could not be carried out; the next one is tried after the usual time."""
        self._is_refreshing = False
        self._refreshed_at = now

    def _see(self, pace: Pace, now: float) -> None:
        self._view.see(pace, now)
        self._sending.drop_void()

    def settled(self, lane: Lane | None, *, now: float, seconds: float) -> None:
        """A `Settle` ended; `lane` is the row after it."""
        self._hand.settling.ended(lane, self._hand.lanes, seconds, self._observe)
        self._sending.fill(now)

    def settle_failed(
        self, lane: Lane | None, now: float, error: LedgerError | None = None
    ) -> None:
        """A `Settle` could not be carried out, for this reason; it is handed out again."""
        self._hand.settle_failed(lane.key if lane else None, error, now)
