"""How does a shard process run on a simulated clock?

The driver of the real delivery and the real ledger calls: where the threads of a shard process
wait for seconds, this one schedules events. A ledger call takes effect at once and is answered a
moment later, so that a crash in between leaves its effect behind.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from consumer.delivery.actions import Action, PaceChange, Refresh, Reserve, Send, Settle
from consumer.delivery.delivery import Delivery
from consumer.delivery.entries import StreamPosition, StreamRecord
from consumer.delivery.orders_in_hand import DeliverySettings
from consumer.delivery.pace_view import step
from consumer.delivery.turns import Verdict
from consumer.sending.ledger_calls import LedgerCalls
from ledger.errors import LedgerError
from ledger.pace.pace import NOTICE_SECONDS, Pace
from ledger.pace.reservation import Grant, Reservation
from ledger.pace.turns import own
from ledger.uploads.lane import Lane
from sandbox.simulation.timeline import SkewedClock
from sandbox.simulation.world import Simulation, Stream, index_after

BATCH_RECORDS = 500
LEDGER_SECONDS = 0.004
"""How long a call of the ledger takes."""
LEDGER_RETRY_SECONDS = 1.0
TICK_SECONDS = 1e-6
"""What is waited for is at least so far away: less may be no time at all to a float."""
NEWS_SECONDS = 0.5
"""When a process that makes no idle looks sees what is new: as late as one that makes them."""

T = TypeVar("T")
Failed = Callable[[LedgerError], None]


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
        self._next_index = index_after(checkpoint)
        self._is_dead = False
        self._is_resting = False
        self._wake_at = float("inf")
        self._waiting: list[Send] = []
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
        """Did it come to own its shard?"""
        return self._delivery is not None

    @property
    def turns_in_hand(self) -> tuple[float, ...]:
        """The turns granted to it that it has not started, by its clock."""
        waiting = (send.start for send in self._waiting)
        return (*waiting, *self.delivery.turns_held, *self._granted)

    def stop(self) -> None:
        """SIGTERM: start nothing more, and settle what is on its way."""
        self.delivery.stop()
        self._look_at_turns()
        self._turn()

    def crash(self) -> None:
        """End without a word: what is on its way is never heard of again."""
        self._is_dead = True

    def news(self) -> None:
        """The pace item says something new: the next look shows it."""
        if self._is_idle:
            self._later(NEWS_SECONDS, self._look_now)

    def _own(self) -> None:
        shard, token = self.settings.shard, self.settings.token
        try:
            pace = self._ledger_calls.change_pace(
                lambda pace: own(pace, shard, token, now=self._timeline.now())
            )
        except LedgerError:
            self._later(LEDGER_RETRY_SECONDS, self._own)
        else:
            starts = self._simulation.starts_of(token)
            self._delivery = Delivery(self.settings, pace, self._simulation.observe, starts)
            self._turns_stamp = self._delivery.turns_stamp

    def _later(self, seconds: float, event: Callable[[], None]) -> None:
        """Let something happen to this process, if it still lives, and see what follows."""

        def happen() -> None:
            if not self._is_dead:
                event()
                self._turn()

        self._timeline.after(seconds, happen)

    def _ask(self, call: Callable[[], T], told: Callable[[T], None], fail: Failed) -> None:
        """Call the ledger now, and have the delivery told of it in a moment."""
        try:
            answer = call()
        except LedgerError as error:
            self._later(LEDGER_RETRY_SECONDS, partial(fail, error))
        else:
            self._clock.hears(LEDGER_SECONDS)
            self._later(LEDGER_SECONDS, lambda: told(answer))

    def _turn(self) -> None:
        """Do all that can be done now, and come back when something falls due."""
        delivery = self._delivery
        if delivery is None:
            return
        self.checkpoint = delivery.frontier or self.checkpoint
        self._feed(delivery)
        if self._turns_stamp != delivery.turns_stamp:
            self._turns_stamp = delivery.turns_stamp
            self._look_at_turns()
        now = self._clock.now()
        while action := delivery.next(now):
            self._begin(action)
        due = max(delivery.settle_due() if self._is_idle else delivery.due(), now + 0.001)
        if due < self._wake_at:
            self._wake_at = due
            self._later(due - now, lambda: self._wake(due))

    def _wake(self, due: float) -> None:
        """What was due is looked at in `_turn`, which sets the next moment."""
        if due == self._wake_at:
            self._wake_at = float("inf")

    def _feed(self, delivery: Delivery) -> None:
        """Hand over a batch whenever there is room, as KCL's main thread does."""
        while delivery.has_room and not self._is_resting:
            batch = self._stream.read(self._next_index, BATCH_RECORDS)
            if not batch or not self._begin_lanes(delivery, batch):
                return
            delivery.take(batch, self._clock.now())
            self._next_index += len(batch)

    def _begin_lanes(self, delivery: Delivery, batch: list[StreamRecord]) -> bool:
        for key in delivery.unknown_lanes(batch):
            try:
                found = self._ledger_calls.read_lane(key)
            except LedgerError:
                self._is_resting = True
                self._later(LEDGER_RETRY_SECONDS, self._rested)
                return False
            if found is None:
                raise AssertionError(f"{key} has no row")
            delivery.begin_lane(found[0], is_cancelled=found[1])
        return True

    def _rested(self) -> None:
        self._is_resting = False

    def _begin(self, action: Action) -> None:
        match action:
            case Send():
                self._wait_for_turn(action)
            case Settle():
                self._settle(action)
            case Reserve():
                self._reserve(action)
            case Refresh():
                if not self._is_idle:
                    self._look(action)
            case _:
                self._change_pace(action)

    def _settle(self, action: Settle) -> None:
        delivery, clock = self.delivery, self._clock

        def settled(lane: Lane | None) -> None:
            delivery.settled(lane, now=clock.now(), seconds=LEDGER_SECONDS)
            self._look_at_turns()  # there may be room now

        self._ask(
            lambda: self._ledger_calls.settle(action),
            settled,
            lambda error: delivery.settle_failed(action.lane, clock.now(), error),
        )

    def _reserve(self, action: Reserve) -> None:
        def call() -> tuple[Reservation, Pace]:
            answer = self._ledger_calls.reserve(action)
            if isinstance(answer[0], Grant):
                self._granted, self._seen_at = answer[0].turns, self._clock.now()
            return answer

        def told(answer: tuple[Reservation, Pace]) -> None:
            self._granted = ()
            self.delivery.reserved(*answer, self._clock.now())

        self._ask(call, told, lambda _: self.delivery.reserve_failed())

    def _look(self, action: Refresh) -> None:
        delivery, clock = self.delivery, self._clock
        self._ask(
            lambda: (self._ledger_calls.read_pace(), self._ledger_calls.cancelled_of(action.lanes)),
            lambda seen: delivery.refreshed(*seen, now=clock.now(), seconds=LEDGER_SECONDS),
            lambda _: delivery.refresh_failed(clock.now()),
        )

    def _change_pace(self, change: PaceChange) -> None:
        delivery, clock = self.delivery, self._clock

        def written(pace: Pace) -> None:
            delivery.pace_changed(pace, clock.now())

        self._ask(
            lambda: self._ledger_calls.change_pace(lambda pace: step(pace, change, clock.now())),
            written,
            lambda _: delivery.pace_change_failed(),
        )

    def _wait_for_turn(self, send: Send) -> None:
        self._waiting.append(send)
        seconds = max(send.start - self._clock.now(), 0.0) + self._simulation.late_seconds()
        self._later(seconds, lambda: self._start(send))

    def _look_at_turns(self) -> None:
        """Have every attempt that waits for its turn see what changed."""
        for send in list(self._waiting):
            self._start(send)

    def _start(self, send: Send) -> None:
        if send not in self._waiting:
            return
        self._waiting.remove(send)
        self._look_in_time()
        delivery, now = self.delivery, self._clock.now()
        verdict = delivery.may_start(send, now)
        if verdict is Verdict.VOID:
            delivery.given_up(send, now)
        elif verdict is Verdict.GO:
            self._later(max(send.at - now, 0.0), lambda: self._attempt(send))
        else:
            self._waiting.append(send)
            self._later(max(verdict - now, TICK_SECONDS), lambda: self._start(send))

    @property
    def _is_idle(self) -> bool:
        """Are looks left out that would show nothing new?"""
        return self._timeline.now() - self._began_at >= self._simulation.idle_looks_seconds

    def _look_in_time(self) -> None:
        """Let nothing start on what was seen long ago, where looks are left out."""
        if self._is_idle and self._clock.now() > self._seen_at + NOTICE_SECONDS:
            self._look_now()

    def _look_now(self) -> None:
        self._seen_at = self._clock.now()
        self.delivery.refreshed(self._ledger_calls.read_pace(), (), now=self._seen_at, seconds=0.0)

    def _attempt(self, send: Send) -> None:
        delivery, clock = self.delivery, self._clock
        latency_seconds, attempt = self._simulation.api.receive(
            send.entry, self._timeline.now(), self.settings.token
        )
        delivery.sent(send, max(clock.now() - send.at, 0.0), 0.0)
        self._later(
            latency_seconds,
            lambda: delivery.ended(send, attempt, now=clock.now(), latency_seconds=latency_seconds),
        )
