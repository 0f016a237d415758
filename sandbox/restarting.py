"""When is a worker that ended started again?"""

from dataclasses import dataclass

QUICK_SECONDS = 5.0
AT_ONCE = 3
MOST_SECONDS = 30.0


@dataclass(slots=True)
class RestartPolicy:
    """At once, as ECS would; with a growing pause only where it dies quickly again and again.

    Times are seconds of one monotonic clock.
    """

    _quick_ends: int = 0

    def starts_at(self, started_at: float, ended_at: float) -> float:
        """When to start a worker again that ran from `started_at` to `ended_at`."""
        self._quick_ends = self._quick_ends + 1 if ended_at - started_at < QUICK_SECONDS else 0
        if self._quick_ends <= AT_ONCE:
            return ended_at
        return ended_at + min(MOST_SECONDS, 0.5 * 2.0 ** (self._quick_ends - AT_ONCE))
