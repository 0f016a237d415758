"""The difference between this machine's clock and DynamoDB's."""

from collections import deque
from collections.abc import Callable

from consumer.sending.date_header import Bounds, DateListener, EventSystem, bounds_of, proven

SKEW_ANSWERS = 60
"""How many answers count; at one a second, a corrected clock is believed soon."""


def proven_skew(answers: list[Bounds]) -> float:
    """The smallest difference that fits the answers, oldest first; 0 if none is proven."""
    bounds = proven(reversed(answers))
    if bounds.low <= 0.0 <= bounds.high:
        return 0.0
    return bounds.low if bounds.low > 0 else bounds.high


class SkewWatch:
    """Listens to a boto3 client."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since the epoch."""
        self._answers: deque[Bounds] = deque(maxlen=SKEW_ANSWERS)
        self._listener = DateListener(clock, self._heard)

    @property
    def skew_seconds(self) -> float:
        """Local clock less server clock, as far as it is proven."""
        return proven_skew(list(self._answers))

    def listen(self, events: EventSystem, service: str) -> None:
        """Listen to the answers of this service."""
        self._listener.listen(events, service)

    def _heard(self, sent_at: float, answered_at: float, date: float) -> None:
        self._answers.append(bounds_of(sent_at, answered_at, date))
