"""Which order is sent next, when may it start, and what does its answer mean?"""

from consumer.delivery.actions import Reserve, Send
from consumer.delivery.attempts import Accepted, Attempt
from consumer.delivery.entries import Entry, Stage
from consumer.delivery.events import Attempted, Observer, TurnsWasted, WaitCapped, WindowSized
from consumer.delivery.failing import Failing
from consumer.delivery.hand import Hand
from consumer.delivery.opinion import Opinion, opinion_of
from consumer.delivery.sizing import Latency, Sizing
from consumer.delivery.turns import Turns, Verdict, is_late, is_void
from ledger.ports.pace import Grant, HoldKind, Pace, Reservation, Superseded
from orders.outcome import Outcome

WASTED_SHARE = 0.01
"""A turn that comes late by less than this share of the interval is not counted as wasted."""
EXPECTED_RESERVE_SECONDS = 0.005
LEAD_FACTOR = 1.5
LEAD_SECONDS_MAX = 0.5
"""A turn is reserved so far ahead that the answer is here before it: by the slowest of the last few
answers, times a factor, up to a limit."""
STALE_SECONDS = 0.05
"""How often is asked again for an attempt that waits for a look at the pace."""


class Sending:
    """The attempts: who is next, in which turn, and what came of it."""

    def __init__(self, hand: Hand, observe: Observer) -> None:
        """Over the orders in hand."""
        settings = hand.settings
        self.turns = Turns()
        self.sizing = Sizing(settings.window_max)
        self.is_stopping = False
        self._started: dict[Entry, None] = {}  # the oldest attempt first
        self._hand = hand
        self._view = hand.view
        self._window = hand.window
        self._failing = Failing(settings.failed_alone)
        self._conflict_outcome = settings.conflict_outcome
        self._observe = observe
        self._is_reserving = False
        self._reserve_asked_at = 0.0
        self._reserve_latency = Latency(8, EXPECTED_RESERVE_SECONDS)
        self._orders_waited = False

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
        self._window.activate(sizing.size + self._window.failed, self._hand.open)
        self._hand.bar_where_blocked(now)

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
            return True
        return self.in_flight + self.turns.assigned < self.sizing.connections

    def next(self, now: float) -> Send | Reserve | None:
        """An attempt, or turns to reserve for one."""
        if self.is_stopping or self._view.is_superseded or self._view.closed(now):
            return None
        if self._view.is_unlimited(now):
            is_full = self.in_flight + self.turns.assigned >= self.sizing.connections
            entry = None if is_full else self._candidate(now)
            return self._assign(entry, 0.0, 0.0, is_probe=False) if entry else None
        return self._take_turn(now) or self._reserve(now)

    def _take_turn(self, now: float) -> Send | None:
        if not self.turns.held:
            return None
        self.turns.drop_late(now, among_others=not self._is_alone)
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
        pace = self._view.pace
        return Send(entry, start, pace.epoch, pace.generation, interval, is_probe)

    def _candidate(self, now: float) -> Entry | None:
        """The first order that may start; a suspect waits as long as there are others."""
        first = None
        for entry in self._window.startable():
            if entry.retry_at <= now:
                return entry
            first = first or entry
        return first

    def _probe_candidate(self) -> Entry | None:
        """Probes alternate between the head, once it failed, and the next order with another id."""
        head = next(iter(self._window.startable()), None)
        if head is None or not head.failures or not self._failing.probe_other_next:
            return head
        return self._window.other_than(head, self._hand.open) or head

    @property
    def _is_alone(self) -> bool:
        return len(self._view.pace.owners) == 1

    def _reserve(self, now: float) -> Reserve | None:
        pace = self._view.pace
        rate = None if self._is_reserving else pace.rate(now)
        if rate is None or self.turns.are_enough(1.0 if pace.hold else rate.interval_seconds):
            return None
        orders = sum(1 for _ in self._window.startable())
        if pace.hold:
            orders = min(orders, 1)  # one probe at a time
        elif not orders and self._is_alone and self._window.queue:
            # An order behind a full window will be ready when the one before it is settled: with
            # its turn reserved meanwhile, a settle that takes long makes it late but costs no turn.
            # Beside other processes that would keep a turn from those who have an order ready.
            orders = 1
        wanted = orders - len(self.turns.held)
        if wanted <= 0:
            return None
        self._is_reserving, self._reserve_asked_at = True, now
        return Reserve(wanted, min(LEAD_FACTOR * self._reserve_latency.worst, LEAD_SECONDS_MAX))

    # --- turns ----------------------------------------------------------------------------------

    def reserved(self, reservation: Reservation, pace: Pace, now: float) -> None:
        """A `Reserve` ended; `pace` is the item after it."""
        self._is_reserving = False
        self._reserve_latency.add(now - self._reserve_asked_at)
        before = self._view.pace
        self._view.see(pace, now)
        if isinstance(reservation, Superseded):
            self._view.is_superseded = True
        elif isinstance(reservation, Grant):
            self._view.seen_at = max(self._view.seen_at, self._reserve_asked_at)
            self.turns.add(reservation)
            if reservation.was_reset:
                self._observe(WaitCapped("the pace's next free time stood too far ahead"))
            self._tell_of_waste(reservation, before, now)
        self.turns.drop_void(self._view.pace)

    def reserve_failed(self) -> None:
        """A `Reserve` could not be carried out."""
        self._is_reserving = False

    def _tell_of_waste(self, grant: Grant, before: Pace, now: float) -> None:
        is_comparable = not before.hold and before.rate(now) == self._view.pace.rate(now)
        if self._orders_waited and is_comparable and grant.interval:
            turns = (grant.turns[0] - before.next_free) / grant.interval
            if turns > WASTED_SHARE:
                self._observe(TurnsWasted(turns))
        self._orders_waited = False

    def is_void(self, send: Send, now: float) -> bool:
        """Is the turn lost: by a change of the pace, a stop, or because the order needs none?"""
        if self.is_stopping or self._view.is_superseded or self._view.closed(now):
            return True
        if is_void(send, self._view.pace):
            return True
        return self._hand.unsent_outcome(send.entry) is not None

    def may_start(self, send: Send, now: float) -> Verdict | float:
        """GO: start now; VOID: call `given_up`; a time: ask again then."""
        if self.is_void(send, now):
            return Verdict.VOID
        verdict = self.turns.verdict(send, now)
        if verdict is not Verdict.GO:
            return verdict
        among_others = not self._is_alone
        if send.interval and is_late(send, now, among_others=among_others):
            return Verdict.VOID
        if self._view.is_stale(now):
            # What was missed may forbid it: a look comes first, or a new turn where a late start
            # could come close to another process's.
            is_shared = send.interval > 0 and among_others
            return Verdict.VOID if is_shared else now + STALE_SECONDS
        self._start(send, now)
        return Verdict.GO

    def _start(self, send: Send, now: float) -> None:
        entry = send.entry
        entry.stage = Stage.STARTED
        entry.attempts += 1
        entry.started_at = now
        entry.first_attempt_at = entry.first_attempt_at or now
        entry.gap_seconds = self.turns.started(now, send.interval)
        self.turns.assigned -= 1
        self._started[entry] = None
        self._orders_waited = bool(self._window.queue) or any(self._window.startable())

    def given_up(self, send: Send, now: float) -> None:
        """A `Send` did not start."""
        self.turns.assigned -= 1
        send.entry.stage = Stage.WAITING
        self._hand.settle_unsent(send.entry)
        self.turns.drop_void(self._view.pace)
        self.fill(now)

    # --- answers --------------------------------------------------------------------------------

    def ended(self, send: Send, attempt: Attempt, *, now: float, latency_seconds: float) -> None:
        """A `Send` made its attempt."""
        entry = send.entry
        del self._started[entry]
        opinion = opinion_of(attempt, entry, conflict_outcome=self._conflict_outcome)
        name = type(attempt).__name__.lower()
        self._observe(Attempted(name, latency_seconds, entry.gap_seconds))
        if opinion.outcome:
            self.sizing.answered(latency_seconds)
            if isinstance(attempt, Accepted):
                self._failing.accept(entry)
            self._view.answered(send.generation, now)
            self._hand.done(entry, opinion.outcome)
        else:
            self._failed(send, opinion, now)
        self.turns.drop_void(self._view.pace)
        self.fill(now)

    def _failed(self, send: Send, opinion: Opinion, now: float) -> None:
        entry = send.entry
        entry.stage = Stage.WAITING
        entry.may_have_arrived |= opinion.may_have_arrived
        if opinion.is_capped:
            self._observe(WaitCapped(opinion.why))
        is_blamed = opinion.kind is not HoldKind.THROTTLED
        self._window.failed += is_blamed and not entry.failures
        if is_blamed and self._failing.fail(entry, now=now, is_probe=send.is_probe):
            entry.reason = f"failed alone: {entry.reason}"
            self._hand.done(entry, Outcome.REFUSED)
        why = f"{opinion.why} (order {entry.name})"
        self._view.failed(opinion.kind, send.generation, why, opinion.wait_seconds, now)
