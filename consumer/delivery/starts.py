"""When may the next attempt of this machine start, after the last one?

Turns are absolute times, and a thread may be late for one. The next start keeps its distance from
the last one all the same, and from the moment its request was sent as far as that was later than
usual: an API counts from there.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ledger.pace.pace import GAP_SHARE

LEAD_SECONDS = 0.002
"""A start is planned this long before it. Until then the request is made ready, and a thread that
wakes up a little late is not late."""
UNSENT_SECONDS = 0.25
"""A request that is not sent this long after it should be hangs; the next start waits no longer."""
START_POLL_SECONDS = 0.002
"""How soon to ask again while the last request is not sent."""
REBOOT_SECONDS = 0.1
"""A start that is planned further ahead is left over from before a reboot."""


@dataclass(frozen=True, slots=True)
class Start:
    """The start of an attempt on a clock that is never set, in seconds.

    sent_at: when the whole request was on its way, 0 while it is not. spacing: of its turn.
    """

    at: float
    sent_at: float
    spacing: float

    def left(self, late_seconds: float, took_seconds: float) -> "Start":
        """The start as it really was."""
        began_at = self.at + late_seconds
        return Start(began_at, began_at + took_seconds, self.spacing)


def next_start(
    last: Start | None, spacing: float, usual_seconds: float, *, earliest: float, now: float
) -> float:
    """When the next attempt may start; more than LEAD_SECONDS ahead, that may yet change.

    earliest: its turn. usual_seconds: how long it usually takes from a start until the request is
    sent. After a change of the rate the next turn is the earlier one of the old rate and the new.
    """
    if last is None or last.at > now + REBOOT_SECONDS:
        return earliest
    due = last.at + GAP_SHARE * min(spacing, last.spacing)
    if 0.0 < last.sent_at <= now:
        return max(due + max(last.sent_at - last.at - usual_seconds, 0.0), earliest)
    if now >= due + UNSENT_SECONDS:
        return earliest
    return max(due, earliest, now + LEAD_SECONDS + START_POLL_SECONDS)


class Starts:
    """The last start of all processes on this machine that share one pace; here kept in memory.

    machine: names this machine in fence tokens.
    """

    def __init__(self, machine: str = "", clock: Callable[[], float] | None = None) -> None:
        """`clock` is one that is never set; None: no clock is."""
        self.machine = machine
        self._clock = clock
        self._last: Start | None = None

    def plan(
        self, spacing: float, usual_seconds: float, *, earliest: float, now: float
    ) -> tuple[float, bool]:
        """When the next attempt starts, and is that a plan? It is up to LEAD_SECONDS before."""
        moment = self._moment(now)
        offset = now - moment
        with self._locked():
            last, _ = self._read()
            at = next_start(last, spacing, usual_seconds, earliest=earliest - offset, now=moment)
            is_planned = at <= moment + LEAD_SECONDS
            if is_planned:
                self._write(Start(at, 0.0, spacing))
        return at + offset, is_planned

    def sent(self, late_seconds: float, took_seconds: float) -> None:
        """The request of this process's last start is on its way.

        late_seconds: from the plan until it began to leave. took_seconds: until it had left.
        """
        with self._locked():
            last, is_own = self._read()
            if last and is_own and not last.sent_at:
                self._write(last.left(late_seconds, took_seconds))

    def _moment(self, now: float) -> float:
        """This time of the turns on a clock that is never set."""
        return self._clock() if self._clock else now

    def _locked(self) -> AbstractContextManager[None]:
        return nullcontext()

    def _read(self) -> tuple[Start | None, bool]:
        """The last start, and was it this process's?"""
        return self._last, True

    def _write(self, last: Start) -> None:
        self._last = last
