"""Which order is sent next, when may it start, and what does its answer mean?"""

from math import ceil

from consumer.delivery.actions import Reserve, Send
from consumer.delivery.attempts import Accepted, Attempt, Unavailable
from consumer.delivery.classification import Classification, classify
from consumer.delivery.entries import Entry, Stage
from consumer.delivery.events import Attempted, Observer, WaitCapped, WindowSized
from consumer.delivery.failure_evidence import FailureEvidence, is_suspect
from consumer.delivery.orders_in_hand import OrdersInHand
from consumer.delivery.starts import Starts
from consumer.delivery.turn_reserver import TurnReserver
from consumer.delivery.turns import Turns, Verdict, is_late, is_void, planned_from
from consumer.delivery.window_size import WindowSize
from ledger.pace.hold import Failure, HoldKind
from ledger.pace.pace import AHEAD_SECONDS, BATCH_SECONDS
from orders.outcome import Outcome

STALE_SECONDS = 0.05
"""How often is asked again for an attempt that waits for a look at the pace, or for room."""
ASSIGN_SECONDS = 0.05
ASSIGNED_LEAST = 2
"""A turn gets its order so long before it comes, but a few have theirs sooner: each of them takes a
thread, which opens a connection in time."""


class Dispatcher:
    """The attempts: who is next, in which turn, and what came of it."""

    def __init__(self, hand: OrdersInHand, observe: Observer, starts: Starts | None) -> None:
        """Over the orders in hand, beside the starts of this machine."""
        settings = hand.settings
        self.turns = Turns(starts)
        self.sizing = WindowSize(settings.window_max)
        self.reserving = TurnReserver(hand, self.turns, self.sizing, observe)
        self.is_stopping = False
        self._started: dict[Entry, None] = {}  # the oldest attempt first
        self._hand = hand
        self._view = hand.view
        self._window = hand.window
        self._failing = FailureEvidence(settings.failed_alone)
        self._conflict_outcome = settings.conflict_outcome
        self._observe = observe
        self._asked_at = 0.0

    # --- who is next ----------------------------------------------------------------------------

    def fill(self, now: float) -> None:
        """Let orders into the window as far as rate and latency ask for."""
        sizing = self.sizing
        rate = self._view.pace.rate(now)
        per_second = rate.per_second if rate else None
        if sizing.resize(
            per_second,
            unanswered_seconds=self._unanswered_seconds(now),
            settle_seconds=self._hand.settling.seconds(per_second or 0.0),
        ):
            self._observe(WindowSized(sizing.size))
        ahead = ceil(per_second * (AHEAD_SECONDS + BATCH_SECONDS)) if per_second else 0
        self._window.activate(sizing.size + self._window.failed + ahead, self._hand.open)
        self._hand.block_where_stuck(now)

    def _unanswered_seconds(self, now: float) -> float:
        oldest = next(iter(self._started), None)
        return now - oldest.started_at if oldest else 0.0

    @property
    def in_flight(self) -> int:
        """How many attempts are on their way."""
        return len(self._started)

    @property
    def has_room(self) -> bool:
        """Could one more attempt be on its way, if an order is ready?"""
        if self.turns.held:
            return self._is_soon(self._asked_at)
        return self._on_their_way < self.sizing.connections

    @property
    def _on_their_way(self) -> int:
        return self.in_flight + len(self.turns.assigned)

    def _is_soon(self, now: float) -> bool:
        """Is it time to give the next turn its order?"""
        if self._on_their_way >= self.sizing.window_max:
            return False
        is_near = self.turns.held[0].start <= now + ASSIGN_SECONDS
        return is_near or len(self.turns.assigned) < ASSIGNED_LEAST

    def next(self, now: float) -> Send | Reserve | None:
        """An attempt, or turns to reserve for one."""
        self._asked_at = now
        self.reserving.note_room(now)
        if self.is_stopping or self._view.is_superseded or self._view.closed(now):
            self.reserving.orders_waited = False
            return None
        if self._view.is_unlimited(now):
            is_full = self._on_their_way >= self.sizing.connections
            entry = None if is_full else self._candidate(now)
            return self._assign(entry, 0.0, 0.0, is_probe=False) if entry else None
        return self._take_turn(now) or self.reserving.next(now)

    def _take_turn(self, now: float) -> Send | None:
        if not self.turns.held:
            return None
        self.turns.drop_late(now, among_others=self._view.is_shared(now))
        if not self.turns.held or not self._is_soon(now):
            return None
        turn = self.turns.held[0]
        entry = self._probe_candidate() if turn.is_probe else self._candidate(now)
        if entry is None:
            return None
        self.turns.held.popleft()
        return self._assign(entry, turn.start, turn.interval, is_probe=turn.is_probe)

    def _assign(self, entry: Entry, start: float, interval: float, *, is_probe: bool) -> Send:
        entry.stage = Stage.ASSIGNED
        pace = self._view.pace
        send = Send(entry, start, pace.epoch, pace.generation, interval, is_probe)
        self.turns.assigned.append(send)
        return send

    def _candidate(self, now: float) -> Entry | None:
        """The first order that may start; a suspect waits as long as there are others.

        For them the window is widened, up to its greatest size.
        """
        first, window = None, self._window
        for entry in window.startable():
            if window.is_full(self.sizing.size) and not window.takes_no_room(entry):
                break
            if entry.retry_at <= now:
                return entry
            first = first or entry
        if first and window.span < self.sizing.window_max:
            other = window.other_than(first, self._hand.open)
            if other and other.retry_at <= now:
                return other
        return first

    def _probe_candidate(self) -> Entry | None:
        """Probes alternate between the head, once it failed, and the next order with another id."""
        head = next(iter(self._window.startable()), None)
        if head is None or not head.failures or not self._failing.probe_other_next:
            return head
        return self._window.other_than(head, self._hand.open) or head

    # --- turns ----------------------------------------------------------------------------------

    def is_void(self, send: Send, now: float) -> bool:
        """Is the turn lost: by a change of the pace, a stop, or because the order needs none?"""
        if self.is_stopping or self._view.is_superseded or self._view.closed(now):
            return True
        if is_void(send, self._view.pace):
            return True
        return self._hand.unsent_outcome(send.entry) is not None

    def may_start(self, send: Send, now: float) -> Verdict | float:
        """GO: start at `send.at`; VOID: call `given_up`; a time: ask again then."""
        if self.is_void(send, now):
            return Verdict.VOID
        if now < planned_from(send):
            return planned_from(send)
        is_shared = send.interval > 0 and self._view.is_shared(now)
        if send.interval and is_late(send, now, among_others=is_shared):
            return Verdict.VOID
        if self._view.is_stale(now):
            # What was missed may forbid it: a look comes first, or a new turn where a late start
            # could come close to another machine's.
            return Verdict.VOID if is_shared else now + STALE_SECONDS
        if not self._has_room_for(send, now):
            return now + STALE_SECONDS
        verdict = self.turns.start(send, now)
        if verdict is Verdict.GO:
            if send.interval and not send.is_probe:
                self._let_earlier_pass(send, now)
            self._start(send)
        return verdict

    def _let_earlier_pass(self, send: Send, now: float) -> None:
        """Give the turn to an order that was refused a moment ago, and comes before in the file."""
        earlier = self._window.to_retry_before(send.entry, now)
        if earlier is None or self._hand.unsent_outcome(earlier):
            return
        later, send.entry = send.entry, earlier
        for other in self.turns.assigned:
            if other is not send and other.entry is earlier:
                other.entry = later
                return
        later.stage, earlier.stage = Stage.WAITING, Stage.ASSIGNED

    def _has_room_for(self, send: Send, now: float) -> bool:
        """May one more order be sent before those before it are settled?"""
        if send.is_probe or self._window.takes_no_room(send.entry):
            return True
        if self._window.is_full(self.sizing.size):
            self.fill(now)  # an answer that is late makes room
        return not self._window.is_full(self.sizing.size)

    def _start(self, send: Send) -> None:
        entry = send.entry
        entry.stage = Stage.STARTED
        entry.attempts += 1
        entry.started_at = send.at
        entry.first_attempt_at = entry.first_attempt_at or send.at
        entry.gap_seconds = self.turns.gap_at(send.at)
        self._window.begins(entry)
        self.turns.assigned.remove(send)
        self._started[entry] = None
        self.reserving.orders_waited = bool(self._window.queue) or any(self._window.startable())

    def given_up(self, send: Send, now: float) -> None:
        """A `Send` did not start."""
        if send in self.turns.assigned:
            self.turns.assigned.remove(send)
            send.entry.stage = Stage.WAITING
            self._hand.settle_unsent(send.entry)
        self.drop_void()
        self.fill(now)

    def drop_void(self) -> None:
        """Take turns that became void from their orders, before others are sent in their place."""
        pace = self._view.pace
        self.turns.drop_void(pace)
        for send in [send for send in self.turns.assigned if is_void(send, pace)]:
            self.turns.assigned.remove(send)
            send.entry.stage = Stage.WAITING
            self._hand.settle_unsent(send.entry)

    # --- answers --------------------------------------------------------------------------------

    def ended(self, send: Send, attempt: Attempt, *, now: float, latency_seconds: float) -> None:
        """A `Send` made its attempt."""
        entry = send.entry
        del self._started[entry]
        classified = classify(attempt, entry, conflict_outcome=self._conflict_outcome)
        name = type(attempt).__name__.lower()
        self._observe(Attempted(name, latency_seconds, entry.gap_seconds))
        if not isinstance(attempt, Unavailable):
            self.reserving.jitter.add(latency_seconds)
        if classified.outcome:
            self.sizing.answered(latency_seconds)
            if isinstance(attempt, Accepted):
                self._failing.accept(entry)
            self._view.answered(send.generation, entry.started_at, now)
            self._hand.done(entry, classified.outcome)
        else:
            self._failed(send, classified, now)
        self.drop_void()
        self.fill(now)

    def _failed(self, send: Send, classified: Classification, now: float) -> None:
        entry = send.entry
        entry.stage = Stage.WAITING
        entry.may_have_arrived |= classified.may_have_arrived
        self._failing.pass_elsewhere(self._view.pace.passed)
        if classified.is_capped:
            self._observe(WaitCapped(classified.why))
        is_limited = is_suspect(entry) and self._failing.others_passed(entry)
        self._window.failed += not entry.failures
        if self._failing.fail(entry, now=now, is_probe=send.is_probe):
            entry.reason = f"failed alone: {entry.reason}"
            self._hand.done(entry, Outcome.REFUSED)
        if is_limited and classified.kind is HoldKind.THROTTLED and not send.is_probe:
            return  # the API limits this order, by customer perhaps, and takes others
        why = f"{classified.why} (order {entry.name})"
        failure = Failure(
            classified.kind, send.generation, why, classified.wait_seconds, entry.started_at
        )
        self._view.failed(failure, now)
