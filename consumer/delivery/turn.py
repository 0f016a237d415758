"""One turn: a reserved start time (time slot), and what may become of it."""

from dataclasses import dataclass

from consumer.delivery.starts import LEAD_SECONDS
from ledger.pace.pace import Pace
from ledger.pace.reservation import LATE_SECONDS

EVEN_PER_SECOND = 50.0
"""Up to this rate starts are even; above it, they may crowd a little."""
LATE_SHARE_AMONG_OTHERS = 0.05
LATE_LEAST_SECONDS = 0.02
"""Where other machines take turns, too, a late start could come close to one of theirs: a turn may
start this share of its interval late, and a thread that wakes up a little late wastes none."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One reserved start time, in seconds since the epoch.

    start, interval: 0 where no turn is needed. epoch, generation: of the pace when it was reserved.
    """

    start: float
    epoch: int
    generation: int
    interval: float
    is_probe: bool

    def is_void(self, pace: Pace) -> bool:
        """Did a change of the pace, a pause or a hold make this turn void?"""
        return self.epoch != pace.epoch or self.generation != pace.generation

    def is_late(self, now: float, *, among_others: bool) -> bool:
        """Is it too late to start in this turn?"""
        late_seconds = LATE_SECONDS
        if among_others:
            late_seconds = max(LATE_SHARE_AMONG_OTHERS * self.interval, LATE_LEAST_SECONDS)
        return now - self.start > late_seconds

    @property
    def is_even(self) -> bool:
        """Does the attempt keep its distance from the one before, or may it crowd a little?"""
        return self.interval * EVEN_PER_SECOND >= 1.0

    @property
    def planned_from(self) -> float:
        """From when on the start of an attempt can be planned."""
        return self.start - LEAD_SECONDS if self.is_even else self.start
