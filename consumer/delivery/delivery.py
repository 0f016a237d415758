"""What is to be done next so that every order in hand is sent once, in its turn?

A state machine: `take` gives it records, `next` hands out one action at a time, and a method named
for each action's end tells it the result. It knows no clock, socket, thread or ledger; its driver
calls it under one lock. All times are seconds since the epoch.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import ceil

from consumer.delivery.actions import (
    Action,
    ForgetSetAside,
    Look,
    Reserve,
    Send,
    Settle,
)
from consumer.delivery.attempts import Accepted, Attempt
from consumer.delivery.entries import Entry, Position, Stage, StreamRecord, order_id_of
from consumer.delivery.events import (
    Attempted,
    HeldFor,
    Observer,
    OrdersMissing,
    RepeatsSkipped,
    TurnsWasted,
    WaitCapped,
    WindowSized,
)
from consumer.delivery.failing import Failing, suspects
from consumer.delivery.intake import LaneTrack, take_end, take_order
from consumer.delivery.opinion import Opinion, opinion_of
from consumer.delivery.pace_view import PaceView
from consumer.delivery.settling import Latency, Settling
from consumer.delivery.turns import Turns, Verdict
from consumer.delivery.window import Window
from ledger.ports.lanes import Lane, LaneKey, LaneNumber
from ledger.ports.pace import Bar, Grant, HoldKind, Pace, Reservation, Superseded
from orders.envelope import EndMarker, OrderEnvelope, UnknownVersion, Unreadable
from orders.outcome import Outcome
from orders.upload import UploadId

LOOK_SECONDS = 0.5
"""The pace item is read at least this often, so that every change is seen within a second."""
LOOK_BEFORE_SECONDS = 0.05
"""... and this long before a slow rate's turn starts."""
LOOK_UPLOADS = 8
"""At each look, so many uploads at the head are asked whether they are cancelled."""
WASTED_SHARE = 0.01
"""A turn that comes late by less than this share of the interval is not counted as wasted."""
EXPECTED_SECONDS = 4.0
"""An attempt without an answer makes the window grow up to this latency."""
CONNECTION_SECONDS = 0.000_4
"""Without a rate, one more attempt in flight for each such share of the API's best latency."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """What a delivery is told at the start.

    window_max: orders. refusal_budget: more than N and more than P percent bar sending.
    conflict_is_accepted: a 409 counts as accepted even on a first attempt.
    """

    shard: str
    token: str
    window_max: int = 64
    refusal_budget: tuple[int, float] = (20, 5.0)
    failed_alone: int = 3
    conflict_is_accepted: bool = False


class Delivery:
    """The orders of one shard on their way from the stream to the API."""

    def __init__(self, settings: DeliverySettings, pace: Pace, observe: Observer) -> None:
        """Start with nothing in hand."""
        self.settings = settings
        self.view = PaceView(settings.shard, settings.token, pace)
        self.window = Window()
        self.turns = Turns()
        self.failing = Failing(settings.failed_alone)
        self.settling = Settling()
        self.lanes: dict[LaneKey, LaneTrack] = {}
        self.is_stopping = False
        self._observe = observe
        self._latency = Latency.of(32, 0.0)
        self._in_flight = 0
        self._is_reserving = self._is_looking = False
        self._looked_at = 0.0
        self._orders_waited = False
        self._size = 1
        self._taken = 0

    # --- what comes from the stream -------------------------------------------------------------

    def unknown_lanes(self, records: Iterable[StreamRecord]) -> list[LaneKey]:
        """The lanes whose rows the driver must read (`begin_lane`) before it gives the records."""
        keys = dict.fromkeys(k for r in records if (k := lane_of_item(r)) is not None)
        return [key for key in keys if key not in self.lanes]

    def begin_lane(self, lane: Lane, *, is_cancelled: bool) -> None:
        """Start a lane where the ledger stands."""
        self.lanes[lane.key] = LaneTrack.begin(lane, is_cancelled=is_cancelled)

    def take(self, records: Iterable[StreamRecord], now: float) -> None:
        """Put records in hand, in stream order. Their lanes must have begun."""
        for record in records:
            entries = self._entries(record, now)
            for entry in entries:
                if entry.key and entry.stage is not Stage.SETTLED:
                    self.lanes[entry.key].unsettled += 1
                if entry.stage is Stage.SETTLED:
                    self._observe(RepeatsSkipped(1))
            self.window.extend(entries)
        self._fill(now)

    def _entries(self, record: StreamRecord, now: float) -> list[Entry]:
        position, item = record.position, record.item
        match item:
            case OrderEnvelope():
                entries = take_order(self.lanes[_key(item)], item, position)
                # An attempt of a process before this one may have got through unseen.
                entries[-1].may_have_arrived = self._taken < self.settings.window_max
                self._taken += 1
                return entries
            case EndMarker():
                return take_end(self.lanes[_key(item)], item, position)
            case Unreadable(reason):
                entry = Entry(position, None, 0, 0, 0, body=record.data, reason=reason)
                entry.stage, entry.outcome = Stage.DONE, Outcome.REFUSED
                return [entry]
            case UnknownVersion(version):
                detail = f"envelope version {version}: start a release that can read it"
                self.view.bar(f"{self.settings.shard} envelope", Bar("later release", detail, now))
                blocked = Entry(position, None, 0, 0, 0)
                blocked.stage = Stage.BLOCKED
                return [blocked]

    @property
    def has_room(self) -> bool:
        """Is at most one window unsettled, so that more records may come?"""
        return self.window.unsettled <= self.settings.window_max

    @property
    def frontier(self) -> Position | None:
        """The position up to which everything taken is settled."""
        return self.window.frontier

    @property
    def is_quiet(self) -> bool:
        """Is no attempt on its way and nothing left to tell the ledger?"""
        return not (self._in_flight or self.settling.is_pending)

    @property
    def is_superseded(self) -> bool:
        """Does another process own the shard now?"""
        return self.view.is_superseded

    def sending(self, now: float) -> tuple[str, str]:
        """What this shard does, and why: `running`, `idle`, `held`, `paused` or `barred`."""
        closed = self.view.closed(now)
        standstill = self.view.standstill(now)
        if standstill in {"barred", "paused"}:
            return standstill, closed.reason if closed else ""
        if self.view.pace.hold:
            return "held", self.view.pace.hold.why
        return ("running" if self.window.unsettled else "idle"), ""

    def stop(self) -> None:
        """Start no more attempts; those on their way are finished and settled."""
        self.is_stopping = True

    # --- what to do next ------------------------------------------------------------------------

    def next(self, now: float) -> Action | None:
        """One action that can be done now, None where there is none before `due`."""
        change = self.view.next_change()
        if change:
            return change
        if not self._is_looking and now >= self._look_due():
            self._is_looking = True
            uploads = dict.fromkeys(key.upload for key in self.lanes)
            return Look(tuple(uploads)[:LOOK_UPLOADS])
        may_settle = not self.view.is_unlimited(now) or self._looked_at > now - LOOK_SECONDS
        if may_settle and (settle := self._settle(now)):
            return settle
        if self.is_stopping or self.view.is_superseded:
            return None
        return self._send(now) or self._reserve(now)

    def _settle(self, now: float) -> Settle | None:
        ready = self.settling.next(now, at_once=self._is_pressed())
        if ready is None:
            return None
        return self.settling.begin(ready, self.lanes, now, self.view.pace.resumed)

    def due(self) -> float:
        """When to ask `next` again, if nothing else happens before."""
        return min(self._look_due(), self.settling.due())

    def _look_due(self) -> float:
        return self._looked_at + LOOK_SECONDS

    def _is_pressed(self) -> bool:
        """Does the window wait for a settle? Then it is made at once."""
        if self.is_stopping:
            return True
        return self.window.span >= self._size and self.settling.count * 2 >= self.window.span

    def _send(self, now: float) -> Send | None:
        if self.view.closed(now):
            return None
        if self.view.is_unlimited(now):
            if self._in_flight + self.turns.assigned >= self._connections():
                return None
            entry = self._candidate(now)
            return self._assign(entry, 0.0, 0.0, is_probe=False) if entry else None
        if not self.turns.held:
            return None
        turn = self.turns.held[0]
        entry = self._probe_candidate() if turn.is_probe else self._candidate(now)
        if entry is None:
            return None
        self.turns.held.popleft()
        return self._assign(entry, turn.start, turn.interval, is_probe=turn.is_probe)

    def _assign(self, entry: Entry, start: float, interval: float, *, is_probe: bool) -> Send:
        entry.stage = Stage.ASSIGNED
        self.turns.assigned += 1
        pace = self.view.pace
        return Send(entry, start, pace.epoch, pace.generation, interval, is_probe)

    def _candidate(self, now: float) -> Entry | None:
        first = None
        for entry in self.window.startable():
            if entry.retry_at <= now:
                return entry
            first = first or entry
        return first

    def _probe_candidate(self) -> Entry | None:
        head = next(iter(self.window.startable()), None)
        if head is None or not self.failing.probe_other_next:
            return head
        other = self.window.other_than(head, self.settings.window_max, self._open)
        return other or head

    def _reserve(self, now: float) -> Reserve | None:
        if self._is_reserving or self.view.closed(now) or self.view.is_unlimited(now):
            return None
        if self.view.pace.hold:
            orders, interval = 1 - self.turns.assigned, 1.0
            orders = min(orders, sum(1 for _ in self.window.startable()))
        else:
            rate = self.view.pace.rate(now)
            if rate is None:
                return None
            interval = rate.interval_seconds
            orders = sum(1 for _ in self.window.startable())
        wanted = self.turns.wanted(orders, interval)
        if wanted <= 0:
            return None
        self._is_reserving = True
        return Reserve(wanted)

    def _connections(self) -> int:
        """How many attempts are worth having in flight without a rate: a slow API takes many."""
        return min(self.settings.window_max, 2 + int(self._latency.least / CONNECTION_SECONDS))

    # --- how actions ended ----------------------------------------------------------------------

    def reserved(self, reservation: Reservation, pace: Pace, now: float) -> None:
        """A `Reserve` ended; `pace` is the item after it."""
        self._is_reserving = False
        before = self.view.pace
        self.view.see(pace, now)
        match reservation:
            case Grant():
                self.turns.add(reservation)
                if reservation.was_reset:
                    self._observe(WaitCapped("the pace's next free time stood too far ahead"))
                late = reservation.turns[0] - before.next_free
                if self._orders_waited and not before.hold and before.rate(now) == pace.rate(now):
                    turns = late / reservation.interval if reservation.interval else 0.0
                    if turns > WASTED_SHARE:
                        self._observe(TurnsWasted(turns))
                self._orders_waited = False
            case Superseded():
                self.view.is_superseded = True
            case _:
                pass
        self.turns.drop_void(self.view.pace)

    def reserve_failed(self) -> None:
        """A `Reserve` could not be carried out."""
        self._is_reserving = False

    def may_start(self, send: Send, now: float) -> Verdict | float:
        """GO: start now; VOID: call `given_up`; a time: ask again then."""
        if self.is_stopping or self.view.is_superseded or self.view.closed(now):
            return Verdict.VOID
        if self._unsent_outcome(send.entry):
            return Verdict.VOID
        verdict = self.turns.verdict(send, self.view.pace, now)
        if verdict is Verdict.GO:
            self._start(send.entry, now)
        return verdict

    def _start(self, entry: Entry, now: float) -> None:
        entry.stage = Stage.STARTED
        entry.attempts += 1
        entry.started_at = now
        entry.first_attempt_at = entry.first_attempt_at or now
        self.turns.assigned -= 1
        self._in_flight += 1
        entry.gap_seconds = self.turns.started(now)
        self._orders_waited = bool(self.window.queue) or any(self.window.startable())

    def given_up(self, send: Send, now: float) -> None:
        """A `Send` did not start."""
        self.turns.assigned -= 1
        send.entry.stage = Stage.WAITING
        self._settle_unsent(send.entry)
        self.turns.drop_void(self.view.pace)
        self._fill(now)

    def ended(self, send: Send, attempt: Attempt, *, now: float, latency_seconds: float) -> None:
        """A `Send` made its attempt."""
        self._in_flight -= 1
        entry = send.entry
        opinion = opinion_of(attempt, entry, accepts_conflict=self.settings.conflict_is_accepted)
        name = type(attempt).__name__.lower()
        self._observe(Attempted(name, latency_seconds, entry.gap_seconds))
        if opinion.outcome:
            self._latency.add(latency_seconds)
            if isinstance(attempt, Accepted):
                self.failing.accept(entry)
            self.view.answered(send.generation, now)
            self._done(entry, opinion.outcome)
        else:
            self._failed(send, opinion, now)
        self.turns.drop_void(self.view.pace)
        self._fill(now)

    def _failed(self, send: Send, opinion: Opinion, now: float) -> None:
        entry = send.entry
        entry.stage = Stage.WAITING
        entry.may_have_arrived |= opinion.may_have_arrived
        if opinion.is_capped:
            self._observe(WaitCapped(opinion.why))
        if opinion.kind is not HoldKind.THROTTLED:
            is_stuck = self.window.span >= self.settings.window_max
            if self.failing.fail(entry, now=now, is_stuck=is_stuck):
                entry.reason = f"failed alone: {entry.reason}"
                self._done(entry, Outcome.REFUSED)
        why = f"{opinion.why} (order {entry.name})"
        self.view.failed(opinion.kind, send.generation, why, opinion.wait_seconds, now)

    def pace_changed(self, pace: Pace, now: float) -> None:
        """A change of the pace was written; `pace` is the item after it."""
        self.view.change_made()
        self.view.see(pace, now)
        self.turns.drop_void(self.view.pace)

    def pace_change_failed(self) -> None:
        """A change of the pace could not be written; it is handed out again."""
        self.view.change_failed()

    def looked(self, pace: Pace, cancelled: Collection[UploadId], now: float) -> None:
        """A `Look` ended."""
        self._is_looking = False
        if self._looked_at:
            self._tell_of_hold(now - self._looked_at, now)
        self._looked_at = now
        self.view.see(pace, now)
        self.turns.drop_void(self.view.pace)
        for track in self.lanes.values():
            track.is_cancelled = track.is_cancelled or track.lane.key.upload in cancelled
        for entry in list(self.window.active):
            if entry.stage is Stage.WAITING:
                self._settle_unsent(entry)
        self._fill(now)

    def look_failed(self, now: float) -> None:
        """A `Look` could not be carried out; the next one is tried after the usual time."""
        self._is_looking = False
        self._looked_at = now

    def _tell_of_hold(self, seconds: float, now: float) -> None:
        reason = self.view.standstill(now)
        if reason and self.window.unsettled:
            self._observe(HeldFor(reason, seconds))

    def settled(self, lane: Lane | None, *, now: float, seconds: float) -> None:
        """A `Settle` ended; `lane` is the row after it."""
        self.settling.ended(lane, self.lanes, seconds, self._observe)
        self._fill(now)

    def settle_failed(self, lane: Lane | None, now: float) -> None:
        """A `Settle` could not be carried out; it is handed out again."""
        self.settling.failed(lane.key if lane else None, now)

    # --- entries --------------------------------------------------------------------------------

    def _fill(self, now: float) -> None:
        """Let orders into the window as far as rate and latency ask for."""
        size = self._window_size(now)
        if size != self._size:
            self._size = size
            self._observe(WindowSized(size))
        room = min(size + suspects(self.window.active), self.settings.window_max)
        self.window.activate(room, self._open)

    def _window_size(self, now: float) -> int:
        """Rate x (latency + settle): what must be in hand so that no turn is wasted."""
        rate = self.view.pace.rate(now)
        if rate is None or rate.per_second is None:
            return self.settings.window_max
        latency_seconds = max(self._latency.worst, self._oldest_seconds(now))
        in_hand = rate.per_second * (latency_seconds + self.settling.seconds(rate.per_second))
        return max(1, min(self.settings.window_max, ceil(in_hand)))

    def _oldest_seconds(self, now: float) -> float:
        """How long the first attempt that is on its way has been: what latency is to be expected.

        It counts up to EXPECTED_SECONDS only, so that an API that hangs does not get the whole
        window sent into it.
        """
        started = (e.started_at for e in self.window.active if e.stage is Stage.STARTED)
        return min(now - next(started, now), EXPECTED_SECONDS)

    def _open(self, entry: Entry) -> None:
        """Make an entry ready that enters the window."""
        if entry.stage is Stage.DONE:
            if entry.outcome is Outcome.MISSING and entry.key:
                self._observe(OrdersMissing(entry.key, entry.count))
            self._collect(entry)
            return
        if entry.stage is not Stage.WAITING or self._settle_unsent(entry):
            return
        order_id = order_id_of(entry.body)
        if order_id is None:
            entry.reason = "the order's body has no readable order_id"
            self._done(entry, Outcome.REFUSED)
        else:
            entry.order_id = order_id

    def _unsent_outcome(self, entry: Entry) -> Outcome | None:
        if entry.key and self.lanes[entry.key].is_cancelled:
            return Outcome.CANCELLED
        return Outcome.REFUSED if entry.name in self.view.pace.set_aside else None

    def _settle_unsent(self, entry: Entry) -> bool:
        """Settle an order that no attempt is to be made for; False where one is."""
        outcome = self._unsent_outcome(entry)
        if outcome is Outcome.REFUSED:
            entry.reason = f"set aside: {self.view.pace.set_aside[entry.name]}"
            self.view.change(ForgetSetAside(entry.name))
        if outcome:
            self._done(entry, outcome)
        return outcome is not None

    def _done(self, entry: Entry, outcome: Outcome) -> None:
        entry.stage, entry.outcome = Stage.DONE, outcome
        self.window.is_done(entry)
        self._collect(entry)

    def _collect(self, entry: Entry) -> None:
        """Have the ledger told; too many refusals bar sending before the next order."""
        self.settling.add(entry)
        if entry.key is None or entry.outcome is None:
            return
        track = self.lanes[entry.key]
        bar = track.count(entry.outcome, entry.count, self.view.pace, self.settings.refusal_budget)
        if bar:
            self.view.bar(f"refusal budget of {entry.key.upload}", bar)


def lane_of_item(record: StreamRecord) -> LaneKey | None:
    """The lane that a record belongs to, None where it is no envelope of ours."""
    item = record.item
    return _key(item) if isinstance(item, OrderEnvelope | EndMarker) else None


def _key(item: OrderEnvelope | EndMarker) -> LaneKey:
    return LaneKey(item.upload, LaneNumber(item.lane))
