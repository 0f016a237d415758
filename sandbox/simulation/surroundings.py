"""What do the processes of a simulation share?"""

from collections.abc import Callable
from dataclasses import dataclass

from consumer.delivery.events import Observer
from consumer.sending.errands import Ledger
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


@dataclass(frozen=True, slots=True)
class SetClock:
    """A process's clock, so many seconds ahead of the simulation's."""

    timeline: Timeline
    ahead_seconds: float

    def now(self) -> float:
        """See Clock.now."""
        return self.timeline.now() + self.ahead_seconds
