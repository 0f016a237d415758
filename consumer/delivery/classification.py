"""What an attempt means for its order, and for all of sending."""

from dataclasses import dataclass
from typing import assert_never

from consumer.delivery.attempts import (
    Accepted,
    Attempt,
    Conflict,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from consumer.delivery.entries import Entry
from ledger.pace.hold import HOLD_SECONDS_MAX, HoldKind
from orders.outcome import Outcome


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """Why all sending holds.

    wait_seconds: what the API asked for, 0 where nothing. may_have_arrived: the API may have taken
    the order although it did not say so.
    """

    kind: HoldKind
    why: str
    wait_seconds: float = 0.0
    may_have_arrived: bool = False

    @property
    def is_capped(self) -> bool:
        """Did the API ask for a longer wait than is believed?"""
        return self.wait_seconds > HOLD_SECONDS_MAX


def classify(
    attempt: Attempt, entry: Entry, *, conflict_outcome: Outcome | None
) -> Outcome | FailedAttempt:
    """Classify an attempt, and note the API's answer at the entry (for a dead letter)."""
    match attempt:
        case Accepted(status):
            entry.status = status
            return Outcome.ACCEPTED
        case Refused(status, reason, answer):
            entry.note_answer(status, reason, answer)
            return Outcome.REFUSED
        case Conflict(status, answer):
            entry.note_answer(status, "the API answered 409: it has this order already", answer)
            likely = Outcome.ACCEPTED if entry.may_have_arrived else Outcome.REFUSED
            return conflict_outcome or likely
        case Unauthorized(status, reason):
            entry.note_answer(status, reason)
            return FailedAttempt(HoldKind.UNAUTHORIZED, reason)
        case Throttled(wait_seconds, reason):
            entry.note_answer(429, reason)
            return FailedAttempt(HoldKind.THROTTLED, reason, wait_seconds or 0.0)
        case Unavailable(status, reason, may_have_arrived, wait_seconds):
            entry.note_answer(status, reason)
            wait = wait_seconds or 0.0
            return FailedAttempt(HoldKind.UNAVAILABLE, reason, wait, may_have_arrived)
        case _:
            assert_never(attempt)
