"""What do the processes of a simulation share?"""

from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.delivery.events import Observer
from consumer.delivery.starts import ProcessStarts
from consumer.sending.clock import AnchoredClock
from consumer.sending.ledger_calls import Ledger
from ledger.pace.pace import machine_of
from sandbox.simulation.timeline import Timeline
from sandbox.simulation.world import ReceivingApi


def on_time() -> float:
    """A machine with nothing else to do."""
    return 0.0


@dataclass
class Surroundings:
    """What the processes of a simulation share.

    late_seconds: how late a thread wakes up for its turn, each time it is asked.
    idle_looks_seconds: from this age on a process looks at the pace only when it is told of news,
    and when it would start an attempt on what it saw long ago: over days most looks show nothing.
    """

    timeline: Timeline
    ledger: Ledger
    api: ReceivingApi
    observe: Observer
    late_seconds: Callable[[], float] = on_time
    idle_looks_seconds: float = float("inf")
    machines: dict[str, ProcessStarts] = field(default_factory=dict)

    def starts_of(self, token: str) -> ProcessStarts:
        """The starts of the machine that a token names; one that names none is alone on its own."""
        machine = machine_of(token)
        starts = ProcessStarts(machine, self.timeline.now)
        return self.machines.setdefault(machine or token, starts)


@dataclass(frozen=True, slots=True)
class SetClock:
    """The clock of a process on a machine whose own is so many seconds ahead of the simulation's.

    Like the real one it listens to what the ledger's answers say.
    """

    timeline: Timeline
    anchored: AnchoredClock | None

    @classmethod
    def ahead(cls, timeline: Timeline, seconds: float) -> "SetClock":
        """A clock so many seconds ahead."""
        if not seconds:
            return cls(timeline, None)
        return cls(timeline, AnchoredClock(lambda: timeline.now() + seconds, timeline.now))

    def now(self) -> float:
        """See Clock.now."""
        return self.anchored.now() if self.anchored else self.timeline.now()

    def hears(self, answered_seconds: float) -> None:
        """The ledger was called now, and answers in so many seconds."""
        if self.anchored:
            now = self.timeline.now()
            self.anchored.heard(now, now + answered_seconds, float(int(now)))
