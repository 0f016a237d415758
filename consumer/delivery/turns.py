"""Which turns are held, and may an attempt start now?"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from consumer.delivery.actions import Send
from ledger.ports.pace import BATCH_SECONDS, LATE_SECONDS, Grant, Pace

MIN_GAP_SHARE = 0.995
"""Up to EVEN_PER_SECOND, no two starts of one process are closer than this share of the interval:
promised are 99 %, and a clock at the other end must be able to see that."""
EVEN_PER_SECOND = 50.0
CROWD_SECONDS = 0.1
"""Above EVEN_PER_SECOND, any such time holds at most a tenth of the rate plus one starts."""

LATE_SHARE_AMONG_OTHERS = 0.05
LATE_LEAST_SECONDS = 0.02
"""Where other processes take turns, too, a late start could come close to another's: a turn may
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


class Verdict(Enum):
    """May the attempt start?"""

    GO = auto()
    VOID = auto()


class Turns:
    """The turns that are reserved and not started, and the starts of the last moments."""

    def __init__(self) -> None:
        """Start with none."""
        self.held: deque[Turn] = deque()
        self.assigned = 0
        self.last_start: float | None = None
        self._last_interval = 0.0
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

    def are_enough(self, interval: float) -> bool:
        """A slow rate holds one turn ahead; a fast one keeps BATCH_SECONDS of turns at most."""
        return (len(self.held) + self.assigned) * interval >= BATCH_SECONDS / 2

    def verdict(self, send: Send, now: float) -> Verdict | float:
        """GO, or the time to ask again: the turn is not yet, or another start is too close."""
        if now < send.start:
            return send.start
        earliest = self._earliest(send.interval)
        return Verdict.GO if now >= earliest else earliest

    def _earliest(self, interval: float) -> float:
        # After a change of the rate the next turn is the earlier one of the old rate and the new.
        interval = min(interval, self._last_interval)
        if self.last_start is None or not interval:
            return 0.0
        if interval * EVEN_PER_SECOND >= 1.0:
            return self.last_start + MIN_GAP_SHARE * interval
        crowd = int(CROWD_SECONDS / interval) + 1
        return self._starts[-crowd] + CROWD_SECONDS if len(self._starts) >= crowd else 0.0

    def sent(self, now: float) -> None:
        """The request of the last start is on its way; it may have taken a while to get there."""
        if self.last_start is not None:
            self.last_start = max(self.last_start, now)

    def started(self, now: float, interval: float) -> float | None:
        """Note a start in a turn of this interval; returns the seconds since the one before."""
        gap = None if self.last_start is None else now - self.last_start
        self.last_start, self._last_interval = now, interval
        self._starts.append(now)
        while self._starts[0] < now - CROWD_SECONDS:
            self._starts.popleft()
        return gap
