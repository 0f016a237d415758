"""How much more than the interval lies between two turns?

An API counts the interval between arrivals, and a path that delays one request more than the next
brings two of them closer together than they were sent. Nobody can know by how much, or what the API
tolerates, until it answers 429. One 429 in a hundred turns costs less than any margin. Where they
come more often, each widens the margin. It shrinks again turn by turn, and at once to what the
answers vary by: where that is little, nothing delays the requests.
"""

from dataclasses import dataclass, replace

FEW = 2
RARE_TURNS = 300
"""Among so many turns a few 429s widen nothing."""
HALF_LIFE_TURNS = 1_000
"""Without another 429 the margin halves in so many turns."""
LEAST_SHARE = 0.001
"""Below this share of the interval it makes no difference to anybody."""
FIRST_SHARE = 0.02
"""The margin begins with this share of the interval."""
GROWTH = 2.0
"""Each further 429 multiplies it by this."""
QUIET_FACTOR = 2.0
"""A margin so many times as wide as the answers vary is not needed, however that was measured."""
SHARE_MAX = 0.25
"""The margin is at most this share of the interval."""


@dataclass(frozen=True, slots=True)
class Margin:
    """What lies between two turns beyond the interval.

    seconds: as it was at the moment `since`. refused_at: when the last few 429s came, the newest
    first.
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
        noted = replace(self, refused_at=(now, *before)[:FEW])
        if len(before) < FEW or now - before[-1] > RARE_TURNS * interval:
            return noted
        wider = max(FIRST_SHARE * interval, GROWTH * self.at(now, interval))
        return replace(noted, seconds=min(wider, SHARE_MAX * interval), since=now)

    def narrowed(self, jitter_seconds: float | None, interval: float, *, now: float) -> "Margin":
        """The margin, given by how much the answers vary; None: that is not known.

        A path that needs it shows itself in the answers; one that does not needs no more than that.
        """
        if jitter_seconds is None or self.at(now, interval) <= QUIET_FACTOR * jitter_seconds:
            return self
        return replace(self, seconds=jitter_seconds, since=now)
