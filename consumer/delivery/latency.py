"""How long calls, answers and requests took lately."""

from collections import deque

from ledger.pace.pace import GAP_SLACK

ANSWERS = 32
"""How many answers are looked at: at one a second, a path that is quiet again is seen so soon."""
ANSWERS_LEAST = 16
JITTER_SHARE = 0.9
"""A tenth of the answers may be slower: a few that are late say nothing about the others."""
LONG_SHARE = 0.1
"""Requests that take longer than this share of the spacing to be sent are large, or their path is
narrow; shorter ones wait for nothing but a processor."""


class Latency:
    """How long something took lately, in seconds."""

    def __init__(self, length: int, first: float) -> None:
        self._last = deque([first], maxlen=length)
        self.worst = self.least = first

    def add(self, seconds: float) -> None:
        """Remember one more."""
        self._last.append(seconds)
        self.worst, self.least = max(self._last), min(self._last)


class Jitter:
    """How far apart most of the last answers are.

    A path that delays requests unevenly shows at least that in the time until their answers.
    """

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=ANSWERS)

    def add(self, latency_seconds: float) -> None:
        """An attempt was answered."""
        self._last.append(latency_seconds)

    @property
    def seconds(self) -> float | None:
        """From the fastest answer to the slowest, except a tenth; None while there are few."""
        if len(self._last) < ANSWERS_LEAST:
            return None
        ordered = sorted(self._last)
        return ordered[int(JITTER_SHARE * (len(ordered) - 1))] - ordered[0]


class Delays:
    """How long it takes, lately, from a start until the request is sent."""

    LENGTH = 31

    def __init__(self) -> None:
        """The first request of a process may well be a late one."""
        self._last = deque([0.0], maxlen=self.LENGTH)
        self._least = self._median = 0.0

    def add(self, seconds: float) -> None:
        """Remember one more."""
        self._last.append(seconds)
        ordered = sorted(self._last)
        self._least, self._median = ordered[0], ordered[(len(ordered) - 1) // 2]

    def usual(self, spacing: float) -> float:
        """What of the next delay is no lateness, and so costs no pace.

        The least of them and the slack of the spacing. Where they take a good part of it, what half
        of them take: how such a path varies is for the margin to learn.
        """
        is_long = self._median > LONG_SHARE * spacing
        return max(self._least + GAP_SLACK * spacing, self._median if is_long else 0.0)
