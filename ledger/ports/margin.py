"""How much more than the interval lies between two turns?

An API counts the interval between arrivals, and a path that delays one request more than the next
brings two of them closer together than they were sent. Nobody can know by how much, or what the API
tolerates, until it answers 429. One 429 in a hundred turns costs less than any margin. Where a few
come soon after each other there is one, and where many do it grows. It shrinks again turn by turn,
and after a while without a 429 to what the answers vary by: where that is little, nothing delays
the requests any more.
"""

from dataclasses import dataclass, replace

FEW, FEW_TURNS = 3, 300
"""So many 429s in so many turns begin a margin, or bring it back to what it was."""
MANY, MANY_TURNS = 4, 60
"""So many in so many turns say that it is too small."""
FIRST_SHARE = 0.04
"""The margin begins with this share of the interval."""
GROWTH = 2.0
SHARE_MAX = 0.25
"""The margin is at most this share of the interval."""
HALF_LIFE_TURNS = 1_000
"""Without another 429 the margin halves in so many turns."""
LEAST_SHARE = 0.001
"""Below this share of the interval it makes no difference to anybody."""
QUIET_FACTOR = 2.0
"""A margin so many times as wide as the answers vary is not needed, however that was measured."""


@dataclass(frozen=True, slots=True)
class Margin:
    """What lies between two turns beyond the interval.

    seconds: as it was at the moment `since`. refused_at: when the last few 429s came that it has
    not answered yet, the newest first.
    """

    seconds: float = 0.0
    since: float = 0.0
    refused_at: tuple[float, ...] = ()

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
        moments = (now, *before)[:MANY]
        first = FIRST_SHARE * interval
        if len(moments) == MANY and now - moments[-1] <= MANY_TURNS * interval:
            wider = max(first, GROWTH * self.at(now, interval))
            return Margin(min(wider, SHARE_MAX * interval), now, moments[:1])
        if len(moments) >= FEW and now - moments[FEW - 1] <= FEW_TURNS * interval:
            was = self.seconds if self.at(now, interval) else 0.0
            return Margin(min(max(first, was), SHARE_MAX * interval), now, moments)
        return replace(self, refused_at=moments)

    def narrowed(self, jitter_seconds: float | None, interval: float, *, now: float) -> "Margin":
        """The margin, given by how much the answers vary; None: that is not known.

        A path that needs it shows itself in the answers; one that does not needs no more than that.
        A strict API does not show itself, so the last 429 must be long ago.
        """
        if jitter_seconds is None or self.at(now, interval) <= QUIET_FACTOR * jitter_seconds:
            return self
        if self.refused_at and now - self.refused_at[0] <= FEW_TURNS * interval:
            return self
        return replace(self, seconds=jitter_seconds, since=now)

    def at_other_interval(self, old: float, new: float, *, now: float) -> "Margin":
        """The margin after a change of the rate: no larger a share of the interval than it was."""
        if not old or not new:
            return Margin()
        share = self.at(now, old) / old
        return replace(self, seconds=min(self.at(now, old), share * new), since=now)
