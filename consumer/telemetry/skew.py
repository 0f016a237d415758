"""By how much does this machine's clock differ from DynamoDB's?

Every answer carries a Date header of whole seconds. The server's clock stood within that second at
some moment between our request and its answer, so each answer bounds the difference, and many
answers together bound it well.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

ANSWERS = 60
"""How many answers are looked at; at one a second, a clock that was set right is believed soon."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Local clock less server clock lies between the two, in seconds."""

    low: float
    high: float


def bounds_of(sent_at: float, answered_at: float, date: float) -> Bounds:
    """What one answer proves. All are seconds since the epoch; `date` is the header's."""
    return Bounds(low=sent_at - date - 1.0, high=answered_at - date)


def proven_skew(answers: list[Bounds]) -> float:
    """The smallest difference that agrees with the answers, oldest first; 0 if none is proven.

    Where they contradict each other a clock was set meanwhile, and only the last ones count.
    """
    low, high = float("-inf"), float("inf")
    for bounds in reversed(answers):
        narrower = max(low, bounds.low), min(high, bounds.high)
        if narrower[0] > narrower[1]:
            break
        low, high = narrower
    if low <= 0.0 <= high:
        return 0.0
    return low if low > 0 else high


class EventSystem(Protocol):
    """What is used of a boto3 client's events."""

    def register(self, event_name: str, handler: Callable[..., None]) -> None:
        """Call the handler at this event."""


class SkewWatch:
    """Listens to a boto3 client that one thread uses."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since the epoch."""
        self._clock = clock
        self._sent_at = 0.0
        self._answers: deque[Bounds] = deque(maxlen=ANSWERS)

    @property
    def skew_seconds(self) -> float:
        """Local clock less server clock, as far as it is proven."""
        return proven_skew(list(self._answers))

    def listen(self, events: EventSystem, service: str) -> None:
        """Listen to the answers of this service."""
        events.register(f"before-send.{service}", self._on_send)
        events.register(f"after-call.{service}", self._on_answer)

    def _on_send(self, **_: Any) -> None:  # noqa: ANN401 - botocore hands over what it likes
        self._sent_at = self._clock()

    def _on_answer(self, parsed: Any, **_: Any) -> None:  # noqa: ANN401 - the same
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            moment = parsedate_to_datetime(date).timestamp()
            self._answers.append(bounds_of(self._sent_at, self._clock(), moment))
