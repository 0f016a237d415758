"""Which attempt is made next, and when may it start?"""

from math import ceil

from consumer.delivery.actions import Reserve, Send
from consumer.delivery.attempt_results import AttemptResults
from consumer.delivery.attempts import Attempt, Unavailable
from consumer.delivery.entries import Entry
from consumer.delivery.events import Attempted, Observer, WindowSized
from consumer.delivery.failure_evidence import FailureEvidence
from consumer.delivery.orders_in_hand import OrdersInHand
from consumer.delivery.schedule import Schedule, Verdict
from consumer.delivery.starts import Starts
from consumer.delivery.turn import Turn
from consumer.delivery.turn_reserver import TurnReserver
from ledger.pace.pace import AHEAD_SECONDS, BATCH_SECONDS

ASK_AGAIN_SECONDS = 0.05
"""How often an attempt that waits for a refresh of the pace, or for room, asks again."""
ASSIGN_SECONDS = 0.05
ASSIGNED_LEAST = 2
"""A turn gets its order this long before it is due; a few get theirs sooner, and with it a thread
that opens a connection in time."""


class Dispatcher:
    """The attempts of the orders in hand: who is next, in which turn, and with which result."""

    def __init__(self, orders: OrdersInHand, observe: Observer, starts: Starts | None) -> None:
        self.schedule = Schedule(starts)
        self.reserver = TurnReserver(orders, self.schedule, observe)
        self.is_stopping = False
        self._started: dict[Entry, None] = {}  # the oldest attempt first
        self._orders = orders
        self._view = orders.view
        self._window = orders.window
        self._evidence = FailureEvidence(orders.settings.failed_alone)
        self._results = AttemptResults(orders, self._evidence, observe)
        self._observe = observe
        self._asked_at = 0.0

    # --- who is next ------------------------------------------------------------------------------

    def fill(self, now: float) -> None:
        """Let orders into the window as far as rate and latency ask for."""
        window = self._window
        rate = self._view.pace.rate(now)
        per_second = rate.per_second if rate else None
        oldest = next(iter(self._started), None)
        if window.resize(
            per_second,
            unanswered_seconds=now - oldest.started_at if oldest else 0.0,
            settle_seconds=self._orders.settles.seconds(per_second or 0.0),
        ):
            self._observe(WindowSized(window.size))
        ahead = ceil(per_second * (AHEAD_SECONDS + BATCH_SECONDS)) if per_second else 0
        window.activate(ahead=ahead)
        self._orders.block_where_stuck(now)

    @property
    def in_flight(self) -> int:
        """How many attempts are on their way."""
        return len(self._started)

    @property
    def has_room(self) -> bool:
        """Could one more attempt be on its way, if an order is ready?"""
        if self.schedule.held:
            return self._is_soon(self._asked_at)
        return self._on_their_way < self._window.connections

    @property
    def _on_their_way(self) -> int:
        return self.in_flight + len(self.schedule.assigned)

    def _is_soon(self, now: float) -> bool:
        """Is it time to give the next turn its order?"""
        if self._on_their_way >= self._window.size_max:
            return False
        is_near = self.schedule.held[0].start <= now + ASSIGN_SECONDS
        return is_near or len(self.schedule.assigned) < ASSIGNED_LEAST

    def next(self, now: float) -> Send | Reserve | None:
        """An attempt, or turns to reserve for one."""
        self._asked_at = now
        self.reserver.note_room(now)
        if self._is_closed(now):
            self.reserver.orders_waited = False
            return None
        if not self._view.is_unlimited(now):
            return self._take_turn(now) or self.reserver.next(now)
        if self._on_their_way >= self._window.connections:
            return None
        entry, pace = self._window.candidate(now), self._view.pace
        if entry is None:
            return None
        return self._assign(entry, Turn(0.0, pace.epoch, pace.generation, 0.0, is_probe=False))

    def _is_closed(self, now: float) -> bool:
        view = self._view
        return self.is_stopping or view.is_superseded or view.closed(now) is not None

    def _take_turn(self, now: float) -> Send | None:
        held = self.schedule.held
        if held:
            self.schedule.drop_late(now, among_others=self._view.is_shared(now))
        if not held or not self._is_soon(now):
            return None
        turn = held[0]
        if turn.is_probe:
            entry = self._window.probe_candidate(other_next=self._evidence.probe_other_next)
        else:
            entry = self._window.candidate(now)
        if entry is None:
            return None
        held.popleft()
        return self._assign(entry, turn)

    def _assign(self, entry: Entry, turn: Turn) -> Send:
        entry.assign()
        send = Send(entry, turn)
        self.schedule.assigned.append(send)
        return send

    # --- its turn ---------------------------------------------------------------------------------

    def is_void(self, send: Send, now: float) -> bool:
        """Is the turn lost: by a change of the pace, a stop, or because the order needs none?"""
        if self._is_closed(now) or send.turn.is_void(self._view.pace):
            return True
        return self._orders.unsent_outcome(send.entry) is not None

    def may_start(self, send: Send, now: float) -> Verdict | float:
        """GO: start at `send.at`; VOID: call `given_up`; a time: ask again then."""
        turn = send.turn
        if self.is_void(send, now):
            return Verdict.VOID
        if now < turn.planned_from:
            return turn.planned_from
        is_shared = turn.interval > 0 and self._view.is_shared(now)
        if turn.interval and turn.is_late(now, among_others=is_shared):
            return Verdict.VOID
        if self._view.is_stale(now):
            # What was missed may forbid it: a refresh comes first, or a new turn where a late start
            # could come close to another machine's.
            return Verdict.VOID if is_shared else now + ASK_AGAIN_SECONDS
        if not self._has_room_for(send, now):
            return now + ASK_AGAIN_SECONDS
        verdict = self.schedule.start(send, now)
        if verdict is Verdict.GO:
            if turn.interval and not turn.is_probe:
                self._let_earlier_pass(send, now)
            self._start(send)
        return verdict

    def _let_earlier_pass(self, send: Send, now: float) -> None:
        """Give the turn to an order that was refused a moment ago, and comes before in the file."""
        earlier = self._window.to_retry_before(send.entry, now)
        if earlier is None or self._orders.unsent_outcome(earlier):
            return
        later, send.entry = send.entry, earlier
        for other in self.schedule.assigned:
            if other is not send and other.entry is earlier:
                other.entry = later
                return
        later.wait()
        earlier.assign()

    def _has_room_for(self, send: Send, now: float) -> bool:
        """May one more order be sent before those before it are settled?"""
        if send.turn.is_probe or self._window.takes_no_room(send.entry):
            return True
        if self._window.is_full:
            self.fill(now)  # an answer that is late makes room
        return not self._window.is_full

    def _start(self, send: Send) -> None:
        entry = send.entry
        entry.start(send.at, self.schedule.gap_at(send.at))
        self._window.begins(entry)
        self.schedule.assigned.remove(send)
        self._started[entry] = None
        self.reserver.orders_waited = bool(self._window.queue) or any(self._window.startable())

    def given_up(self, send: Send, now: float) -> None:
        """A Send did not start."""
        if send in self.schedule.assigned:
            self.schedule.assigned.remove(send)
            if not send.turn.is_void(self._view.pace):
                self.schedule.give_up(send.turn)
            self._lose_turn(send)
        self.drop_void()
        self.fill(now)

    def drop_void(self) -> None:
        """Take turns that became void from their orders, before others are sent in their place."""
        for send in self.schedule.drop_void(self._view.pace):
            self._lose_turn(send)

    def _lose_turn(self, send: Send) -> None:
        send.entry.wait()
        self._orders.finish_unsent(send.entry)

    # --- its result -------------------------------------------------------------------------------

    def ended(self, send: Send, attempt: Attempt, *, now: float, latency_seconds: float) -> None:
        """A Send made its attempt."""
        entry = send.entry
        del self._started[entry]
        name = type(attempt).__name__.lower()
        self._observe(Attempted(name, latency_seconds, entry.gap_seconds))
        if not isinstance(attempt, Unavailable):
            self.reserver.jitter.add(latency_seconds)
        self._results.ended(send, attempt, now=now, latency_seconds=latency_seconds)
        self.drop_void()
        self.fill(now)
