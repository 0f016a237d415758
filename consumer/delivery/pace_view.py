"""What does this process know of the pace, and which changes of it has it to write?

A change is applied to the view at once, so that nothing starts that it forbids, and handed out to
be written. What comes back from the store is the truth, with the changes not written yet on top.
"""

from collections import deque

from consumer.delivery.actions import (
    ClearBlocker,
    ForgetSetAside,
    PaceChange,
    ReportAnswer,
    ReportFailure,
    SetBlocker,
)
from ledger.pace import steps
from ledger.pace.hold import Failure
from ledger.pace.pace import NOTICE_SECONDS, Blocker, Pace
from ledger.pace.reservation import Closed
from ledger.pace.turns import is_closed, lapsed


def step(pace: Pace, change: PaceChange, now: float) -> Pace:
    """The pace after a change; what the driver writes by compare-and-set."""
    match change:
        case ReportFailure(failure):
            return steps.failed(pace, failure, now=now)
        case ReportAnswer(generation, started_at):
            return steps.answered(pace, generation, now=now, started_at=started_at)
        case SetBlocker(name, blocker):
            return steps.block(pace, name, blocker)
        case ClearBlocker(name):
            return steps.unblock(pace, name)
        case ForgetSetAside(name):
            return steps.was_set_aside(pace, name)


class PaceView:
    """The pace as one process sees it."""

    def __init__(self, shard: str, token: str, pace: Pace) -> None:
        """Start from the item as read."""
        self.pace = pace
        self.is_superseded = False
        self.seen_at = 0.0  # when the item as it is known here was asked for
        self._shard = shard
        self._token = token
        self._changes: deque[PaceChange] = deque()
        self._writing: PaceChange | None = None

    def see(self, pace: Pace, now: float) -> None:
        """Take in the item as the store has it; an older one than is known is let be."""
        if pace.revision < self.pace.revision:
            return
        if pace.owners.get(self._shard) != self._token:
            self.is_superseded = True
        pace = lapsed(pace, now)  # whoever reserves next writes the same
        pending = [self._writing] if self._writing else []
        for change in (*pending, *self._changes):
            pace = step(pace, change, now)
        self.pace = pace

    def is_stale(self, now: float) -> bool:
        """May the item have changed so long ago that others count on it being known here?"""
        return now > self.seen_at + NOTICE_SECONDS

    def closed(self, now: float) -> Closed | None:
        """Why there is no turn now."""
        return is_closed(self.pace, self._shard, now)

    def is_unlimited(self, now: float) -> bool:
        """Is the rate `none`, with no hold to probe?"""
        rate = self.pace.rate(now)
        return rate is not None and rate.per_second is None and self.pace.hold is None

    def is_shared(self, now: float) -> bool:
        """Does another machine take turns now, too?"""
        return self.pace.is_shared(self._token, now)

    def standstill(self, now: float) -> str | None:
        """Why sending stands still: `blocked`, `paused`, a hold's kind, or None."""
        if self.pace.blockers_of(self._shard):
            return "blocked"
        if self.pace.pause_at(now):
            return "paused"
        return self.pace.hold.kind.value if self.pace.hold else None

    def change(self, change: PaceChange, now: float = 0.0) -> None:
        """Apply a change here and have it written."""
        if change in self._changes or change == self._writing:
            return
        self.pace = step(self.pace, change, now)
        self._changes.append(change)

    def failed(self, failure: Failure, now: float) -> None:
        """An attempt failed; a result of an older generation changes nothing."""
        if failure.generation == self.pace.generation:
            self.change(ReportFailure(failure), now)

    def answered(self, generation: int, started_at: float, now: float) -> None:
        """An attempt was answered; it ends the hold that it probed, or a row of 429s."""
        if generation == self.pace.generation and (self.pace.hold or self.pace.throttled):
            self.change(ReportAnswer(generation, started_at), now)

    def block(self, name: str, blocker: Blocker) -> None:
        """Block sending."""
        if name not in self.pace.blockers:
            self.change(SetBlocker(name, blocker))

    def unblock(self, name: str) -> None:
        """Take a blocker away: what caused it is gone."""
        if name in self.pace.blockers:
            self.change(ClearBlocker(name))

    def next_change(self) -> PaceChange | None:
        """The next change to write; one at a time, in order."""
        if self._writing or not self._changes:
            return None
        self._writing = self._changes.popleft()
        return self._writing

    def change_made(self) -> None:
        """The change handed out is written."""
        self._writing = None

    def change_failed(self) -> None:
        """The change handed out could not be written: it is the next again."""
        if self._writing:
            self._changes.appendleft(self._writing)
            self._writing = None
