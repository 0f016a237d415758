"""How much more than the interval lies between two turns?

An API counts the interval between arrivals, and a path that delays one request more than the next
brings two of them closer together than they were sent. Nobody can know by how much, or what the API
tolerates, until it answers 429. One 429 in a hundred turns costs less than any margin. Where a few
come soon after each other there is one, and where more do it grows. It shrinks again turn by turn,
and after a while without a 429 to what the answers vary by: where that is little, nothing delays
the requests any more.
"""

from dataclasses import dataclass, replace

FEW, FEW_TURNS = 3, 300
"""So many 429s in so many turns begin a margin, or bring it back to what it was."""
MANY, MANY_TURNS = 4, 60
"""So many in so many turns say that it is too small."""
SOON_TURNS = 40
"""Where the answers vary, even one of a few says so if it comes so soon after the last change."""
FIRST_SHARE = 0.04
"""The margin begins with this share of the interval."""
GROWTH = 2.0
SLOW_GROWTH = 1.25
SHARE_MAX = 0.25
"""The margin is at most this share of the interval."""
HALF_LIFE_TURNS = 1_000
"""Without another 429 the margin halves in so many turns."""
LEAST_SHARE = 0.001
"""Below this share of the interval it makes no difference to anybody."""
QUIET_PATH_TURNS = 60
"""A path that delayed requests unevenly and does so no more is believed after so many turns."""
QUIET_FACTOR = 2.0
"""A margin so many times as wide as the answers vary is not needed, however that was measured."""


@dataclass(frozen=True, slots=True)
class Margin:
    """What lies between two turns beyond the interval.

    seconds: as it was at the moment `since`. refused_at: when the last few 429s came that it has
    not answered yet, the newest first. is_path: did the answers, since it began, vary by enough to
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

    def refused(self, interval: float, *, started_at: float, now: float) -> "Margin":
        """The margin after an isolated 429 to an attempt that started at this moment.

        An attempt that started before the last 429 came says nothing new.
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
        """The margin, given by how much the answers vary; None: that is not known.

        A path that needs it shows itself in the answers; one that does not needs no more than that.
        A strict API does not show itself, so where no path did, the last 429 must be long ago.
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
