"""By how much a clock differs from DynamoDB's.

Every answer carries a Date header of whole seconds. The server's clock stood within that second at
some moment between our request and its answer, so each answer bounds the difference, and many
answers together bound it well.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Bounds:
    """The local clock less the server's is between the two, in seconds."""

    low: float
    high: float


ANY_OFFSET = Bounds(float("-inf"), float("inf"))


def bounds_of(sent_at: float, answered_at: float, date: float) -> Bounds:
    """What one answer proves. All are seconds since the epoch; `date` is the header's."""
    return Bounds(low=sent_at - date - 1.0, high=answered_at - date)


def proven(answers: Iterable[Bounds]) -> Bounds:
    """What the answers prove together, the newest first.

    Where they contradict each other a clock was set meanwhile, and only the last ones count.
    """
    low, high = ANY_OFFSET.low, ANY_OFFSET.high
    for bounds in answers:
        narrower = max(low, bounds.low), min(high, bounds.high)
        if narrower[0] > narrower[1]:
            break
        low, high = narrower
    return Bounds(low, high)


class EventSystem(Protocol):
    """What is used of a boto3 client's events."""

    def register(self, event_name: str, handler: Callable[..., None]) -> None:
        """Call the handler at this event."""


class DateListener:
    """Listens to the answers of a boto3 client, which any number of threads may use."""

    def __init__(
        self, clock: Callable[[], float], heard: Callable[[float, float, float], None]
    ) -> None:
        """`heard` is told, by this clock, when a request was sent and answered, and its date."""
        self._clock = clock
        self._heard = heard
        self._of_thread = threading.local()

    def listen(self, events: EventSystem, service: str) -> None:
        """Listen to the answers of this service."""
        events.register(f"before-send.{service}", self._on_send)
        events.register(f"after-call.{service}", self._on_answer)

    def _on_send(self, **_: Any) -> None:  # noqa: ANN401 - botocore hands over what it likes
        self._of_thread.sent_at = self._clock()

    def _on_answer(self, parsed: Any, **_: Any) -> None:  # noqa: ANN401 - the same
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            moment = parsedate_to_datetime(date).timestamp()
            self._heard(self._of_thread.sent_at, self._clock(), moment)
