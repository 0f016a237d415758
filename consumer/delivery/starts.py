"""When may the next attempt of this machine start, after the last one?

Turns are absolute times, and a thread may be late for one. The next start keeps its distance from
the last one all the same, and from the moment its request was sent as far as that was later than
usual: an API counts from there.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ledger.ports.pace import GAP_SHARE, GAP_SLACK

UNSENT_SECONDS = 0.25
"""A request that is not sent so long after it should be hangs: nobody waits for it any more."""
LONG_SHARE = 0.1
"""Requests that take longer than this share of the spacing to be sent are large, or their path is
narrow; shorter ones wait for nothing but a processor."""
POLL_SECONDS = 0.002
"""How soon is asked again while the last request is not sent."""


@dataclass(frozen=True, slots=True)
class Start:
    """The start of an attempt on a clock that nobody sets, in seconds.

    sent_at: when the whole request was on its way, 0 as long as it is not. spacing: of its turn.
    """

    at: float
    sent_at: float
    spacing: float


def wait(last: Start | None, spacing: float, usual_seconds: float, now: float) -> float:
    """How long to wait until the next attempt may start, or is to be asked for again; or less.

    usual_seconds: how long it usually takes from a start until the request is sent. After a change
    of the rate the next turn is the earlier one of the old rate and the new.
    """
    if last is None or last.at > now:  # a file that outlived a reboot
        return 0.0
    due = last.at + GAP_SHARE * min(spacing, last.spacing)
    if last.sent_at:
        return due + max(last.sent_at - last.at - usual_seconds, 0.0) - now
    unsent_seconds = min(max(now - last.at - usual_seconds, 0.0), UNSENT_SECONDS)
    return min(due + unsent_seconds - now, max(due - now, POLL_SECONDS))


class Starts(Protocol):
    """The last start of all processes on this machine that share one pace.

    machine: names this machine in fence tokens.
    """

    machine: str

    def start(self, spacing: float, usual_seconds: float, now: float) -> float | None:
        """Start an attempt now, and note it; else the time to ask again."""

    def sent(self, now: float) -> None:
        """The request of this process's last start is on its way."""


class ProcessStarts:
    """A Starts that one process, or all processes of a simulated machine, keep in memory."""

    def __init__(self, machine: str = "", clock: Callable[[], float] | None = None) -> None:
        """Nothing has started yet. `clock` is one that nobody sets; None: nobody sets any."""
        self.machine = machine
        self._clock = clock
        self._last: Start | None = None

    def start(self, spacing: float, usual_seconds: float, now: float) -> float | None:
        """See Starts.start."""
        moment = self._clock() if self._clock else now
        wait_seconds = wait(self._last, spacing, usual_seconds, moment)
        if wait_seconds > 0:
            return now + wait_seconds
        self._last = Start(moment, 0.0, spacing)
        return None

    def sent(self, now: float) -> None:
        """See Starts.sent."""
        if self._last and not self._last.sent_at:
            moment = self._clock() if self._clock else now
            self._last = Start(self._last.at, moment, self._last.spacing)


class Delays:
    """How long it takes, lately, from a start until the request is sent."""

    LENGTH = 31

    def __init__(self) -> None:
        """Nothing was sent yet: the first request of a process may well be a late one."""
        self._last = deque([0.0], maxlen=self.LENGTH)
        self._least = self._median = 0.0

    def add(self, seconds: float) -> None:
        """Remember one more."""
        self._last.append(seconds)
        ordered = sorted(self._last)
        self._least, self._median = ordered[0], ordered[len(ordered) // 2]

    def usual(self, spacing: float) -> float:
        """What of the next delay is no lateness, and so costs no pace.

        The least of them and the slack of the spacing. Where they take a good part of it, what half
        of them take: how such a path varies is for the margin to learn.
        """
        is_long = self._median > LONG_SHARE * spacing
        return max(self._least + GAP_SLACK * spacing, self._median if is_long else 0.0)
