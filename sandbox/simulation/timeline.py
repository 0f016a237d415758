"""Simulated time: a queue of events, and clocks that read it."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from consumer.sending.clock import AnchoredClock


class Timeline:
    """A clock that jumps from event to event. Times are seconds since the epoch."""

    def __init__(self, start: float) -> None:
        """Begin at `start`, with no events scheduled."""
        self._now = start
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def now(self) -> float:
        """See Clock.now."""
        return self._now

    def at(self, moment: float, event: Callable[[], None]) -> None:
        """Schedule an event for a moment, or for now if that is past."""
        heapq.heappush(self._events, (max(moment, self._now), next(self._numbers), event))

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Schedule an event in so many seconds."""
        self.at(self._now + seconds, event)

    def run(self, is_over: Callable[[], bool], *, until: float) -> bool:
        """Run events until it is over (True) or the clock reaches `until` (False)."""
        while not is_over():
            if not self._events or self._events[0][0] > until:
                self._now = max(self._now, until)
                return False
            self._now, _, event = heapq.heappop(self._events)
            event()
        return True


@dataclass(frozen=True, slots=True)
class SkewedClock:
    """The clock of a process whose machine may be ahead of the simulation's time.

    Like the real one it is corrected by the Date of the ledger's answers.
    """

    timeline: Timeline
    anchored: AnchoredClock | None

    @classmethod
    def ahead(cls, timeline: Timeline, seconds: float) -> "SkewedClock":
        """A clock that is so many seconds ahead."""
        if not seconds:
            return cls(timeline, None)
        return cls(timeline, AnchoredClock(lambda: timeline.now() + seconds, timeline.now))

    def now(self) -> float:
        """See Clock.now."""
        return self.anchored.now() if self.anchored else self.timeline.now()

    def hears(self, answered_seconds: float) -> None:
        """Note that the ledger was called now and answers in so many seconds."""
        if self.anchored:
            now = self.timeline.now()
            self.anchored.heard(now, now + answered_seconds, float(int(now)))
