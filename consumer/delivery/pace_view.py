"""The pace as this process knows it, and the changes of it that are still to be written.

A change is applied to the view at once, so that nothing starts that it forbids, and handed out to
be written. What comes back from the store is the truth, with the unwritten changes on top.
"""

from collections import deque

from consumer.delivery.actions import ChangePace, PaceStep
from ledger.pace import steps
from ledger.pace.hold import Failure
from ledger.pace.pace import NOTICE_SECONDS, Blocker, Pace
from ledger.pace.reservation import Closed
from ledger.pace.turns import lapsed, shut_now, why_closed


class PaceView:
    """The pace as one process sees it."""

    def __init__(self, shard: str, token: str, pace: Pace) -> None:
        self.pace = pace
        self.is_superseded = False
        self.seen_at = 0.0  # when the item as it is known here was asked for
        self._shard = shard
        self._token = token
        self._unwritten: deque[PaceStep] = deque()  # the first one may be on its way
        self._is_writing = False

    def see(self, pace: Pace, now: float) -> None:
        """Take in the item as the store has it, unless a newer one is known."""
        if pace.revision < self.pace.revision:
            return
        if pace.owners.get(self._shard) != self._token:
            self.is_superseded = True
        pace = lapsed(pace, now)  # the next reservation writes the same
        for step in self._unwritten:
            pace = step(pace, now)
        self.pace = pace

    def is_stale(self, now: float) -> bool:
        """May the item have changed so long ago that others rely on its being known here?"""
        return now > self.seen_at + NOTICE_SECONDS

    def closed(self, now: float) -> Closed | None:
        """Why there is no turn now."""
        return why_closed(self.pace, self._shard, now)

    def is_unlimited(self, now: float) -> bool:
        """Is the rate `none`, with no hold to probe?"""
        rate = self.pace.rate(now)
        return rate is not None and rate.per_second is None and self.pace.hold is None

    def is_shared(self, now: float) -> bool:
        """Does another machine take turns now, too?"""
        return self.pace.is_shared(self._token, now)

    def standstill(self, now: float) -> str | None:
        """Why nothing is sent: `blocked`, `paused`, a hold's kind, quota or hours, or None."""
        if self.pace.blockers_of(self._shard):
            return "blocked"
        if self.pace.pause_at(now):
            return "paused"
        if self.pace.hold:
            return self.pace.hold.kind.value
        shut = shut_now(self.pace, now)
        return shut.why.value if shut and shut.why else None

    # --- changes ----------------------------------------------------------------------------------

    def failed(self, failure: Failure, now: float) -> None:
        """An attempt failed; a result of an older generation changes nothing."""
        if failure.generation == self.pace.generation:
            self._change(lambda pace, now: steps.failed(pace, failure, now=now), now)

    def answered(self, generation: int, started_at: float, now: float) -> None:
        """An attempt was answered; it ends the hold that it probed, or a row of 429s."""
        if generation == self.pace.generation and (self.pace.hold or self.pace.throttled):
            self._change(
                lambda pace, now: steps.answered(pace, generation, now=now, started_at=started_at),
                now,
            )

    def block(self, name: str, blocker: Blocker) -> None:
        """Block sending."""
        if name not in self.pace.blockers:
            self._change(lambda pace, _: steps.block(pace, name, blocker))

    def unblock(self, name: str) -> None:
        """Remove a blocker whose cause is gone."""
        if name in self.pace.blockers:
            self._change(lambda pace, _: steps.unblock(pace, name))

    def forget_set_aside(self, name: str) -> None:
        """An order that a person may have set aside has its outcome."""
        if name in self.pace.set_aside:
            self._change(lambda pace, _: steps.was_set_aside(pace, name))

    def end_batch(self, lane: str, ordinal: int, *, settled: int) -> None:
        """A batch ends before it is full; nothing of it may be sent before that is written."""
        self._change(
            lambda pace, _: (
                steps.end_batch(pace, lane, ordinal, settled=settled)
                if pace.owners.get(self._shard) == self._token
                else pace
            )
        )

    def forget_batch_ends(self, lane: str) -> None:
        """All of a lane is settled."""
        if lane in self.pace.batch_ends:
            self._change(lambda pace, _: steps.forget_batch_ends(pace, lane))

    @property
    def has_unwritten(self) -> bool:
        """Are there changes that the store does not have yet?"""
        return bool(self._unwritten)

    def _change(self, step: PaceStep, now: float = 0.0) -> None:
        self.pace = step(self.pace, now)
        self._unwritten.append(step)

    def next_change(self) -> ChangePace | None:
        """The next change to write; one at a time, in order."""
        if self._is_writing or not self._unwritten:
            return None
        self._is_writing = True
        return ChangePace(self._unwritten[0])

    def change_ended(self, *, is_written: bool) -> None:
        """The change handed out is written, or is the next one again."""
        self._is_writing = False
        if is_written:
            self._unwritten.popleft()
