"""Which turns are held, and may an attempt start now?"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from consumer.delivery.actions import Send
from consumer.delivery.starts import LEAD_SECONDS, Delays, ProcessStarts, Starts
from ledger.pace.pace import AHEAD_SECONDS, LATE_SECONDS, Pace
from ledger.pace.reservation import Grant

EVEN_PER_SECOND = 50.0
"""Up to this rate starts are even; above it, they may crowd a little."""
CROWD_SECONDS = 0.1
"""Above EVEN_PER_SECOND, any such time holds at most a tenth of the rate plus one starts."""

IN_LINE_SECONDS = 0.002
"""How soon is asked again for a turn whose time has come before an earlier one was taken."""

LATE_SHARE_AMONG_OTHERS = 0.05
LATE_LEAST_SECONDS = 0.02
"""Where other machines take turns, too, a late start could come close to one of theirs: a turn may
start this share of its interval late, and a thread that wakes up a little late wastes none."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One reserved start time, in seconds since the epoch."""

    start: float
    epoch: int
    generation: int
    interval: float
    is_probe: bool


def is_void(turn: Turn | Send, pace: Pace) -> bool:
    """Did a change of the pace, a pause or a hold make this turn void?"""
    return turn.epoch != pace.epoch or turn.generation != pace.generation


def is_late(turn: Turn | Send, now: float, *, among_others: bool) -> bool:
    """Is it too late to start in this turn?"""
    late_seconds = LATE_SECONDS
    if among_others:
        late_seconds = max(LATE_SHARE_AMONG_OTHERS * turn.interval, LATE_LEAST_SECONDS)
    return now - turn.start > late_seconds


def is_even(send: Send) -> bool:
    """Does the attempt keep its distance from the one before, or may it crowd a little?"""
    return send.interval * EVEN_PER_SECOND >= 1.0


def planned_from(send: Send) -> float:
    """From when on the start of an attempt can be planned."""
    return send.start - LEAD_SECONDS if is_even(send) else send.start


class Verdict(Enum):
    """May the attempt start?"""

    GO = auto()
    VOID = auto()


class Turns:
    """The turns that are reserved and not started, and the starts of the last moments."""

    def __init__(self, starts: Starts | None = None) -> None:
        """Start with none."""
        self.held: deque[Turn] = deque()
        self.assigned: deque[Send] = deque()  # in the order of their turns
        self._on_this_machine = starts or ProcessStarts()
        self._delays = Delays()
        self._unsent: Send | None = None  # the last one, until its request is on its way
        self._last_start: float | None = None
        self._starts: deque[float] = deque()

    def add(self, grant: Grant) -> None:
        """Hold the turns of a grant."""
        self.held.extend(
            Turn(start, grant.epoch, grant.generation, grant.interval, grant.is_probe)
            for start in grant.turns
        )

    def drop_void(self, pace: Pace) -> None:
        """Give up the turns that a change of the pace, a pause or a hold made void."""
        if any(is_void(turn, pace) for turn in self.held):
            self.held = deque(t for t in self.held if not is_void(t, pace))

    def drop_late(self, now: float, *, among_others: bool) -> None:
        """Give up the turns that no order was ready for in time."""
        while self.held and is_late(self.held[0], now, among_others=among_others):
            self.held.popleft()

    def are_enough(self, now: float) -> bool:
        """Do the turns reach so far ahead that more can be reserved in time?"""
        last = self.held[-1] if self.held else self.assigned[-1] if self.assigned else None
        return last is not None and last.start > now + AHEAD_SECONDS

    def start(self, send: Send, now: float) -> Verdict | float:
        """GO: it starts at `send.at`; else the time to ask again: too early, or another is close.

        Turns are taken in their order, however late their threads are.
        """
        if now < planned_from(send):
            return planned_from(send)
        if not send.interval:
            send.at = now
            return Verdict.GO
        if self.assigned and self.assigned[0].start < send.start:
            return now + IN_LINE_SECONDS
        when = self._plan_evenly(send, now) if is_even(send) else self._start_in_a_crowd(send, now)
        return Verdict.GO if when is None else when

    def _plan_evenly(self, send: Send, now: float) -> float | None:
        usual_seconds, earliest = self._delays.usual(send.interval), max(send.start, now)
        at, is_planned = self._on_this_machine.plan(
            send.interval, usual_seconds, earliest=earliest, now=now
        )
        if not is_planned:
            return at - LEAD_SECONDS
        send.at, self._unsent = at, send
        return None

    def _start_in_a_crowd(self, send: Send, now: float) -> float | None:
        crowd = int(CROWD_SECONDS / send.interval) + 1
        when = self._starts[-crowd] + CROWD_SECONDS if len(self._starts) >= crowd else now
        if when > now:
            return when
        self._starts.append(now)
        while self._starts[0] < now - CROWD_SECONDS:
            self._starts.popleft()
        send.at = now
        return None

    def sent(self, send: Send, late_seconds: float, took_seconds: float) -> None:
        """A request is on its way; one that hung until another was started says nothing new."""
        if send is self._unsent:
            self._on_this_machine.sent(late_seconds, took_seconds)
            self._delays.add(took_seconds)
            self._unsent = None

    def gap_at(self, now: float) -> float | None:
        """The seconds since the start before, None for the first; the next gap counts from here."""
        gap = None if self._last_start is None else now - self._last_start
        self._last_start = now
        return gap
