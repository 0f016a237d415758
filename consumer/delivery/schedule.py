"""Which turns are held, and when exactly does the next attempt start?"""

from collections import deque
from enum import Enum, auto

from consumer.delivery.actions import Send
from consumer.delivery.latency import Delays
from consumer.delivery.starts import LEAD_SECONDS, Starts
from consumer.delivery.turn import Turn
from ledger.pace.pace import AHEAD_SECONDS, Pace
from ledger.pace.reservation import Grant, Unused

CROWD_SECONDS = 0.1
"""Above EVEN_PER_SECOND, any such time holds at most a tenth of the rate plus one starts."""
IN_LINE_SECONDS = 0.002
"""How soon to ask again for a turn that is due before an earlier one was taken."""


class Verdict(Enum):
    """May the attempt start?"""

    GO = auto()
    VOID = auto()


class Schedule:
    """The turns that are reserved and not started, and the starts of the last moments."""

    def __init__(self, starts: Starts | None = None) -> None:
        self.held: deque[Turn] = deque()
        self.assigned: deque[Send] = deque()  # in the order of their turns
        self._on_this_machine = starts or Starts()
        self.unused: list[Unused] = []  # since they were last taken
        self._delays = Delays()
        self._unsent: Send | None = None  # the last one, until its request is on its way
        self._last_start: float | None = None
        self._crowd: deque[float] = deque()  # the starts of the last CROWD_SECONDS

    def add(self, grant: Grant) -> None:
        """Hold the turns of a grant."""
        self.held.extend(
            Turn(start, grant.epoch, grant.generation, grant.interval, grant.is_probe)
            for start in grant.turns
        )

    def drop_void(self, pace: Pace) -> list[Send]:
        """Give up the turns that became void; returns those that had an order."""
        if any(turn.is_void(pace) for turn in self.held):
            self.held = deque(turn for turn in self.held if not turn.is_void(pace))
        void = [send for send in self.assigned if send.turn.is_void(pace)]
        for send in void:
            self.assigned.remove(send)
        return void

    def drop_late(self, now: float, *, among_others: bool) -> None:
        """Give up the turns that no order was ready for in time."""
        while self.held and self.held[0].is_late(now, among_others=among_others):
            self.give_up(self.held.popleft())

    def give_up(self, turn: Turn) -> None:
        """Note a turn that nothing is sent in."""
        if turn.interval:
            self.unused.append(Unused(turn.start, turn.epoch, turn.generation))

    def are_enough(self, now: float) -> bool:
        """Do the turns reach so far ahead that more can be reserved in time?"""
        last = self.held[-1] if self.held else self.assigned[-1].turn if self.assigned else None
        return last is not None and last.start > now + AHEAD_SECONDS

    def start(self, send: Send, now: float) -> Verdict | float:
        """GO: it starts at `send.at`; else the time to ask again, as another start is close.

        Turns are taken in their order, however late their threads are.
        """
        turn = send.turn
        if not turn.interval:
            send.at = now
            return Verdict.GO
        if self.assigned and self.assigned[0].turn.start < turn.start:
            return now + IN_LINE_SECONDS
        when = self._plan_evenly(send, now) if turn.is_even else self._start_in_a_crowd(send, now)
        return Verdict.GO if when is None else when

    def _plan_evenly(self, send: Send, now: float) -> float | None:
        interval = send.turn.interval
        usual_seconds, earliest = self._delays.usual(interval), max(send.turn.start, now)
        at, is_planned = self._on_this_machine.plan(
            interval, usual_seconds, earliest=earliest, now=now
        )
        if not is_planned:
            return at - LEAD_SECONDS
        send.at, self._unsent = at, send
        return None

    def _start_in_a_crowd(self, send: Send, now: float) -> float | None:
        crowd = int(CROWD_SECONDS / send.turn.interval) + 1
        when = self._crowd[-crowd] + CROWD_SECONDS if len(self._crowd) >= crowd else now
        if when > now:
            return when
        self._crowd.append(now)
        while self._crowd[0] < now - CROWD_SECONDS:
            self._crowd.popleft()
        send.at = now
        return None

    def sent(self, send: Send, late_seconds: float, took_seconds: float) -> None:
        """A request is on its way; one that hung until another was started says nothing new.

        late_seconds: from `at` until it began to leave. took_seconds: from then until it had left.
        """
        if send is self._unsent:
            self._on_this_machine.sent(late_seconds, took_seconds)
            self._delays.add(took_seconds)
            self._unsent = None

    def gap_at(self, now: float) -> float | None:
        """The seconds since the start before, None for the first; the next gap counts from here."""
        gap = None if self._last_start is None else now - self._last_start
        self._last_start = now
        return gap
