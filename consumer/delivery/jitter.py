"""By how much do the API's answers vary?"""

from collections import deque

ANSWERS = 32
"""How many answers are looked at: at one a second, a path that is quiet again is seen so soon."""
ANSWERS_LEAST = 16
SHARE = 0.9
"""A tenth of the answers may be slower: a few that are late say nothing about the others."""


class Jitter:
    """How far most of the last answers lie apart.

    A path that delays requests unevenly shows at least that in the time until their answers.
    """

    def __init__(self) -> None:
        """Nothing was answered yet."""
        self._last: deque[float] = deque(maxlen=ANSWERS)

    def add(self, latency_seconds: float) -> None:
        """An attempt was answered."""
        self._last.append(latency_seconds)

    @property
    def seconds(self) -> float | None:
        """From the fastest answer to the slowest but for a tenth; None as long as they are few."""
        if len(self._last) < ANSWERS_LEAST:
            return None
        ordered = sorted(self._last)
        return ordered[int(SHARE * (len(ordered) - 1))] - ordered[0]
