"""The time for sending, which steps of the wall clock must not disturb."""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from consumer.sending.date_header import Bounds, bounds_of, proven

ERROR_SECONDS = 0.2
"""A clock that is known to be off by more is set right."""
DATES_KEPT = 60
"""How many of the ledger's answers are kept."""

log = logging.getLogger(__name__)


class Clock(Protocol):
    """A source of the time."""

    def now(self) -> float:
        """Seconds since the epoch."""


class AnchoredClock:
    """The wall clock as it stood when it was last right, carried on by the monotonic clock.

    Small corrections of the wall clock do not move a turn that is waited for. A step of it, or a
    suspended machine, is followed. Where the ledger's answers prove that the
    wall clock is wrong, their time is followed instead: all processes that share a pace agree.
    """

    def __init__(
        self,
        wall: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Anchor it now; by default to this machine's clocks."""
        self._wall = wall or (lambda: time.time())  # noqa: PLW0108 - looked up at each call
        self._monotonic = monotonic
        self._answers: deque[Bounds] = deque(maxlen=DATES_KEPT)
        self._of_wall = self._offset = self._wall() - monotonic()

    def now(self) -> float:
        """See Clock.now."""
        monotonic = self._monotonic()
        of_wall = self._wall() - monotonic
        if abs(of_wall - self._of_wall) > ERROR_SECONDS:
            log.warning("the clock was set by %+.3f s", of_wall - self._of_wall)
            self._of_wall = of_wall
            self._answers.clear()  # the machine may have been suspended since
            self._anchor()
        return monotonic + self._offset

    def offset(self) -> float:
        """The seconds from the monotonic clock to this one."""
        return self._offset

    def heard(self, sent_at: float, answered_at: float, date: float) -> None:
        """An answer of the ledger had this date, in whole seconds; the moments are monotonic."""
        self._answers.append(bounds_of(sent_at, answered_at, date))
        self._anchor()

    def _anchor(self) -> None:
        """Follow the wall clock, unless it is proven wrong: then the middle of what it can be."""
        bounds = proven(reversed(list(self._answers)))
        offset = self._of_wall  # of the epoch less the monotonic clock, as the bounds' negative
        if not -bounds.high - ERROR_SECONDS <= offset <= -bounds.low + ERROR_SECONDS:
            offset = -(bounds.low + bounds.high) / 2
        if abs(offset - self._offset) > ERROR_SECONDS:
            log.warning("the time of sending is corrected by %+.3f s", offset - self._offset)
        self._offset = offset
