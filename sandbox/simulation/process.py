"""A shard process on a simulated clock.

The driver of the real delivery and the real ledger calls: where the threads of a shard process
wait for seconds, this one schedules events. A ledger call takes effect at once and is answered a
moment later, so that a crash in between leaves its effect behind.
"""

from collections.abc import Callable

from consumer.delivery import actions
from consumer.delivery.delivery import Delivery
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamPosition, StreamRecord
from consumer.delivery.schedule import Verdict
from consumer.sending.ledger_calls import LedgerCalls
from consumer.sending.sender_threads import LEDGER_RETRY_SECONDS
from ledger.errors import LedgerError
from ledger.pace.pace import NOTICE_SECONDS, Pace
from ledger.pace.reservation import Grant
from ledger.uploads.lane import Lane
from sandbox.simulation.timeline import SkewedClock
from sandbox.simulation.world import Simulation, Stream

BATCH_RECORDS = 500
LEDGER_SECONDS = 0.004
"""How long a call of the ledger takes."""
TICK_SECONDS = 1e-6
"""The shortest wait: a float may round anything shorter to no time at all."""
NEWS_SECONDS = 0.5
"""How late a process without idle looks notices news: as late as one that makes them."""


class Process:
    """One shard process, from its start to its crash or stop."""

    def __init__(
        self,
        simulation: Simulation,
        stream: Stream,
        settings: DeliverySettings,
        checkpoint: StreamPosition | None,
        *,
        ahead_seconds: float = 0.0,
    ) -> None:
        """Own the shard and begin after the checkpoint, by a clock so many seconds ahead."""
        self.checkpoint = checkpoint
        self.settings = settings
        self._simulation = simulation
        self._timeline = simulation.timeline
        self._clock = SkewedClock.ahead(simulation.timeline, ahead_seconds)
        self._ledger_calls = LedgerCalls(
            simulation.ledger, self._clock, shard=settings.shard, token=settings.token
        )
        self._began_at = simulation.timeline.now()
        self._delivery: Delivery | None = None
        self._stream = stream
        self._next_index = int(checkpoint.sequence) + 1 if checkpoint else 0
        self._is_dead = False
        self._is_resting = False
        self._wake_at = float("inf")
        self._waiting: list[actions.Send] = []
        self._granted: tuple[float, ...] = ()  # turns of an answer that is on its way
        self._turns_stamp = (0, 0)
        self._seen_at = 0.0  # when the pace was last read or a turn reserved
        self._own()
        self._turn()

    @property
    def delivery(self) -> Delivery:
        """The delivery. The process must own its shard."""
        if self._delivery is None:
            raise AssertionError("the process does not own its shard yet")
        return self._delivery

    @property
    def has_begun(self) -> bool:
        """Does it own its shard?"""
        return self._delivery is not None

    @property
    def turns_in_hand(self) -> tuple[float, ...]:
        """The turns granted to it that it has not started, by its clock."""
        held = (turn.start for turn in self.delivery.dispatcher.schedule.held)
        waiting = (send.turn.start for send in self._waiting)
        return (*waiting, *held, *self._granted)

    def stop(self) -> None:
        """SIGTERM: start nothing more, and settle what is in flight."""
        self.delivery.stop()
        self._look_at_turns()
        self._turn()

    def crash(self) -> None:
        """SIGKILL: nothing that is in flight ever returns."""
        self._is_dead = True

    def news(self) -> None:
        """Note that the pace item has changed: the next look shows it."""
        if self._is_idle:
            self._later(NEWS_SECONDS, self._look_now)

    def _own(self) -> None:
        try:
            pace = self._ledger_calls.own_shard()
        except LedgerError:
            self._later(LEDGER_RETRY_SECONDS, self._own)
        else:
            starts = self._simulation.starts_of(self.settings.token)
            self._delivery = Delivery(self.settings, pace, self._simulation.observe, starts)
            self._turns_stamp = _stamp(pace)

    def _later(self, seconds: float, event: Callable[[], None]) -> None:
        """Schedule an event of this process, if it is still alive then, and act on it."""

        def happen() -> None:
            if not self._is_dead:
                event()
                self._turn()

        self._timeline.after(seconds, happen)

    def _turn(self) -> None:
        """Do what can be done now, and schedule the next time that something is due."""
        delivery = self._delivery
        if delivery is None:
            return
        self.checkpoint = delivery.frontier or self.checkpoint
        self._feed(delivery)
        if self._turns_stamp != _stamp(delivery.pace):
            self._turns_stamp = _stamp(delivery.pace)
            self._look_at_turns()
        now = self._clock.now()
        while action := delivery.next(now):
            self._begin(action)
        due = max(delivery.settle_due() if self._is_idle else delivery.due(), now + 0.001)
        if due < self._wake_at:
            self._wake_at = due
            self._later(due - now, lambda: self._wake(due))

    def _wake(self, due: float) -> None:
        """Clear the moment: `_turn`, which follows, sets the next."""
        if due == self._wake_at:
            self._wake_at = float("inf")

    def _feed(self, delivery: Delivery) -> None:
        """Hand over batches while there is room, as KCL's main thread does."""
        while delivery.has_room and not self._is_resting:
            batch = self._stream.read(self._next_index, BATCH_RECORDS)
            if not batch or not self._begin_lanes(delivery, batch):
                return
            delivery.take(batch, self._clock.now())
            self._next_index += len(batch)

    def _begin_lanes(self, delivery: Delivery, batch: list[StreamRecord]) -> bool:
        for key in delivery.lanes.unread(batch):
            try:
                found = self._ledger_calls.read_lane(key)
            except LedgerError:
                self._is_resting = True
                self._later(LEDGER_RETRY_SECONDS, self._rested)
                return False
            if found is None:
                raise AssertionError(f"{key} has no row")
            delivery.lanes.begin(found[0], is_cancelled=found[1])
        return True

    def _rested(self) -> None:
        self._is_resting = False

    def _begin(self, action: actions.Action) -> None:
        if isinstance(action, actions.Send):
            self._wait_for_turn(action)
        elif not (isinstance(action, actions.Refresh) and self._is_idle):
            self._call_ledger(action)

    def _call_ledger(self, action: actions.LedgerAction) -> None:
        """Call the ledger now, and pass its answer on after the call's time."""
        result = self._ledger_calls.carry_out(action)
        if isinstance(result, LedgerError):
            seconds = LEDGER_RETRY_SECONDS
        else:
            seconds = LEDGER_SECONDS
            self._clock.hears(LEDGER_SECONDS)
        if isinstance(result, actions.TurnsReserved) and isinstance(result.reservation, Grant):
            self._granted, self._seen_at = result.reservation.turns, self._clock.now()
        self._later(seconds, lambda: self._told(action, result))

    def _told(self, action: actions.LedgerAction, result: actions.LedgerResult) -> None:
        if isinstance(result, actions.TurnsReserved):
            self._granted = ()
        self.delivery.ended(action, result, now=self._clock.now(), seconds=LEDGER_SECONDS)
        if isinstance(result, Lane):
            self._look_at_turns()  # there may be room now

    def _wait_for_turn(self, send: actions.Send) -> None:
        self._waiting.append(send)
        seconds = max(send.turn.start - self._clock.now(), 0.0) + self._simulation.late_seconds()
        self._later(seconds, lambda: self._start(send))

    def _look_at_turns(self) -> None:
        """Let every attempt that waits for its turn see what has changed."""
        for send in list(self._waiting):
            self._start(send)

    def _start(self, send: actions.Send) -> None:
        if send not in self._waiting:
            return
        self._waiting.remove(send)
        if self._is_idle and self._clock.now() > self._seen_at + NOTICE_SECONDS:
            self._look_now()  # nothing starts on a stale view
        delivery, now = self.delivery, self._clock.now()
        verdict = delivery.dispatcher.may_start(send, now)
        if verdict is Verdict.VOID:
            delivery.dispatcher.given_up(send, now)
        elif verdict is Verdict.GO:
            self._later(max(send.at - now, 0.0), lambda: self._attempt(send))
        else:
            self._waiting.append(send)
            self._later(max(verdict - now, TICK_SECONDS), lambda: self._start(send))

    @property
    def _is_idle(self) -> bool:
        """Does it skip the looks that would show nothing new?"""
        return self._timeline.now() - self._began_at >= self._simulation.idle_looks_seconds

    def _look_now(self) -> None:
        self._seen_at = self._clock.now()
        result = actions.Refreshed(self._ledger_calls.read_pace(), ())
        self.delivery.ended(actions.Refresh(()), result, now=self._seen_at, seconds=0.0)

    def _attempt(self, send: actions.Send) -> None:
        dispatcher, clock = self.delivery.dispatcher, self._clock
        latency_seconds, attempt = self._simulation.api.receive(
            send.entry, self._timeline.now(), self.settings.token
        )
        dispatcher.schedule.sent(send, max(clock.now() - send.at, 0.0), 0.0)
        self._later(
            latency_seconds,
            lambda: dispatcher.ended(
                send, attempt, now=clock.now(), latency_seconds=latency_seconds
            ),
        )


def _stamp(pace: Pace) -> tuple[int, int]:
    """Changes whenever turns that were handed out may have become void."""
    return pace.epoch, pace.generation
