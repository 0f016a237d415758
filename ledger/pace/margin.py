"""The margin: extra time between two turns, on top of the interval.

An API measures the interval between arrivals, and a path that delays one request more than the next
makes two of them arrive closer together than they were sent. By how much, and what the API
tolerates, shows only in its 429s. One 429 in a hundred turns costs less than any margin. A few of
them in a short time begin a margin, and more widen it. It shrinks turn by turn, and after a while
without a 429 it shrinks to the variation of the answers: if that is small, requests are no longer
delayed unevenly.
"""

from dataclasses import dataclass, replace

FEW, FEW_TURNS = 3, 300
"""This many 429s in this many turns begin a margin, or restore the previous one."""
MANY, MANY_TURNS = 4, 60
"""This many in this many turns mean that it is too small."""
SOON_TURNS = 40
"""If the answers vary, the margin is too small, too, if the few come this soon after a change."""
FIRST_SHARE = 0.04
"""The margin begins with this share of the interval."""
GROWTH = 2.0
SLOW_GROWTH = 1.25
SHARE_MAX = 0.25
"""The margin is at most this share of the interval."""
HALF_LIFE_TURNS = 1_000
"""Without another 429 the margin halves in this many turns."""
LEAST_SHARE = 0.001
"""A margin below this share of the interval has no effect and is dropped."""
QUIET_PATH_TURNS = 60
"""A path that no longer delays requests unevenly is trusted after this many turns."""
QUIET_FACTOR = 2.0
"""A margin this many times as wide as the answers vary is not needed."""


@dataclass(frozen=True, slots=True)
class Margin:
    """Extra time between two turns, on top of the interval.

    seconds: its width at the moment `since`. refused_at: the times of the last few 429s that have
    not widened it yet, newest first. is_path: have the answers, since it began, varied enough to
    need it?
    """

    seconds: float = 0.0
    since: float = 0.0
    refused_at: tuple[float, ...] = ()
    is_path: bool = False

    def at(self, now: float, interval: float) -> float:
        """The margin at a moment and an interval, in seconds; 0 once it is too small to matter."""
        if not self.seconds or not interval:
            return 0.0
        left = self.seconds * 0.5 ** (max(now - self.since, 0.0) / (HALF_LIFE_TURNS * interval))
        return min(left, SHARE_MAX * interval) if left >= LEAST_SHARE * interval else 0.0

    def throttled(self, interval: float, *, started_at: float, now: float) -> "Margin":
        """The margin after an isolated 429 to an attempt that started at this moment.

        An attempt that started before the last 429 came tells nothing new.
        """
        before = self.refused_at
        if not interval or (before and started_at <= before[0]):
            return self
        moments = kept = (now, *before)[:MANY]
        left = self.at(now, interval)
        was = self.seconds if left else 0.0
        if len(moments) == MANY and now - moments[-1] <= MANY_TURNS * interval:
            seconds, kept = GROWTH * left, moments[:1]
        elif len(moments) >= FEW and now - moments[FEW - 1] <= FEW_TURNS * interval:
            is_soon = now - self.since <= SOON_TURNS * interval
            seconds = was * (SLOW_GROWTH if self.is_path and is_soon else 1.0)
        else:
            return replace(self, refused_at=moments)
        seconds = min(max(seconds, FIRST_SHARE * interval), SHARE_MAX * interval)
        return Margin(seconds, now, kept, is_path=self.is_path and bool(left))

    def narrowed(self, jitter_seconds: float | None, interval: float, *, now: float) -> "Margin":
        """The margin, given how much the answers vary; None if that is not known.

        A path that needs a margin shows in the varying answers, and needs no more than they vary. A
        strict API does not show, so unless a path did, the last 429 must be long ago.
        """
        margin = self.at(now, interval)
        if jitter_seconds is None or not margin:
            return self
        if margin <= QUIET_FACTOR * jitter_seconds:
            return self if self.is_path else replace(self, is_path=True)
        turns = QUIET_PATH_TURNS if self.is_path else FEW_TURNS
        if self.refused_at and now - self.refused_at[0] <= turns * interval:
            return self
        return replace(self, seconds=jitter_seconds, since=now, is_path=False)

    def at_other_interval(self, old: float, new: float, *, now: float) -> "Margin":
        """The margin after a change of the rate: no larger a share of the interval than it was."""
        if not old or not new:
            return Margin()
        share = self.at(now, old) / old
        return replace(self, seconds=min(self.at(now, old), share * new), since=now)
