"""How does a shard process run on a simulated clock?

It is the driver of the real delivery and the real errands: what the threads of the crew do in
seconds of waiting, this does by events.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from consumer.delivery.actions import Action, Look, Reserve, Send, Settle
from consumer.delivery.attempts import Accepted
from consumer.delivery.delivery import Delivery
from consumer.delivery.entries import Position, StreamRecord
from consumer.delivery.events import Observer
from consumer.delivery.hand import DeliverySettings
from consumer.delivery.pace_view import step
from consumer.delivery.turns import Verdict
from consumer.sending.errands import Errands
from ledger.memory.ledger import MemoryLedger
from ledger.ports import pace as steps
from sandbox.simulation.timeline import Timeline
from sandbox.simulation.world import Request, SimulatedApi, Stream

BATCH_RECORDS = 500
LEDGER_SECONDS = 0.004
"""How long a call of the ledger takes."""


@dataclass
class Surroundings:
    """What the processes of a simulation share."""

    timeline: Timeline
    ledger: MemoryLedger
    api: SimulatedApi
    observe: Observer


class Process:
    """One shard process, from its start to its crash or stop."""

    def __init__(
        self,
        around: Surroundings,
        stream: Stream,
        settings: DeliverySettings,
        checkpoint: Position | None,
    ) -> None:
        """Own the shard and begin after the checkpoint."""
        self.checkpoint = checkpoint
        self._around = around
        self._timeline = around.timeline
        self._errands = Errands(
            around.ledger, around.timeline, shard=settings.shard, token=settings.token
        )
        pace = self._errands.change_pace(
            lambda pace: steps.own(pace, settings.shard, settings.token)
        )
        self.delivery = Delivery(settings, pace, around.observe)
        self._records: Iterator[StreamRecord] = stream.after(checkpoint)
        self._is_dead = False
        self._wake_at = float("inf")
        self._waiting: list[Send] = []
        self._seen = self.delivery.turns_stamp
        self._turn()

    def crash(self) -> None:
        """End without a word: what is on its way is never heard of again."""
        self._is_dead = True

    def _later(self, seconds: float, event: Callable[[], None]) -> None:
        """Let something happen to this process, if it still lives, and see what follows."""

        def happen() -> None:
            if not self._is_dead:
                event()
                self._turn()

        self._timeline.after(seconds, happen)

    def _turn(self) -> None:
        """Do all that can be done now, and come back when something falls due."""
        now = self._timeline.now()
        delivery = self.delivery
        self.checkpoint = delivery.frontier or self.checkpoint
        while delivery.has_room and (batch := list(islice(self._records, BATCH_RECORDS))):
            for key in delivery.unknown_lanes(batch):
                found = self._errands.read_lane(key)
                if found is None:
                    raise AssertionError(f"{key} has no row")
                delivery.begin_lane(found[0], is_cancelled=found[1])
            delivery.take(batch, now)
        if self._seen != delivery.turns_stamp:
            self._seen = delivery.turns_stamp
            self._look_at_turns()
        while action := delivery.next(now):
            self._begin(action)
        due = max(delivery.due(), now + 0.001)
        if due < self._wake_at:
            self._wake_at = due
            self._later(due - now, self._wake)

    def _wake(self) -> None:
        """What was due is looked at in `_turn`, which sets the next moment."""
        if self._timeline.now() >= self._wake_at:
            self._wake_at = float("inf")

    def _begin(self, action: Action) -> None:
        match action:
            case Send():
                self._wait_for_turn(action)
            case Settle():
                self._later(LEDGER_SECONDS, lambda: self._settle(action))
            case Reserve():
                self._later(LEDGER_SECONDS, lambda: self._reserve(action))
            case Look():
                self._later(LEDGER_SECONDS, lambda: self._look(action))
            case change:
                pace = self._errands.change_pace(
                    lambda pace: step(pace, change, self._timeline.now())
                )
                self._later(
                    LEDGER_SECONDS,
                    lambda: self.delivery.pace_changed(pace, self._timeline.now()),
                )

    def _wait_for_turn(self, send: Send) -> None:
        self._waiting.append(send)
        self._later(max(send.start - self._timeline.now(), 0.0), lambda: self._start(send))

    def _look_at_turns(self) -> None:
        """Have every attempt that waits for its turn see what changed."""
        for send in list(self._waiting):
            self._start(send)

    def _start(self, send: Send) -> None:
        if send not in self._waiting:
            return
        self._waiting.remove(send)
        now = self._timeline.now()
        verdict = self.delivery.may_start(send, now)
        if verdict is Verdict.VOID:
            self.delivery.given_up(send, now)
        elif verdict is Verdict.GO:
            api, order_id = self._around.api, send.entry.order_id
            latency_seconds, attempt = api.behaviour(order_id, now)
            api.requests.append(Request(now, order_id, isinstance(attempt, Accepted)))
            self._later(
                latency_seconds,
                lambda: self.delivery.ended(
                    send, attempt, now=self._timeline.now(), latency_seconds=latency_seconds
                ),
            )
        else:
            self._waiting.append(send)
            self._later(verdict - now, lambda: self._start(send))

    def _settle(self, action: Settle) -> None:
        lane = self._errands.settle(action)
        self.delivery.settled(lane, now=self._timeline.now(), seconds=LEDGER_SECONDS)

    def _reserve(self, action: Reserve) -> None:
        reservation, pace = self._errands.reserve(action.wanted)
        self.delivery.reserved(reservation, pace, self._timeline.now())

    def _look(self, action: Look) -> None:
        pace = self._errands.read_pace()
        cancelled = self._errands.cancelled_of(action.lanes)
        self.delivery.looked(pace, cancelled, self._timeline.now())


def successor(settings: DeliverySettings, number: int) -> DeliverySettings:
    """The settings of the process that follows on one that crashed."""
    return replace(settings, token=f"{settings.shard}-{number}")
