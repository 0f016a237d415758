"""What does an attempt mean for its order, and for all of sending?"""

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
class Classification:
    """The order's outcome, or (outcome None) why all sending holds.

    wait_seconds: what the API asked for, 0 where nothing. is_capped: it asked for more than is
    believed. may_have_arrived: the API may have taken the order although it did not say so.
    """

    outcome: Outcome | None = None
    kind: HoldKind = HoldKind.UNAVAILABLE
    why: str = ""
    wait_seconds: float = 0.0
    is_capped: bool = False
    may_have_arrived: bool = False


def classify(attempt: Attempt, entry: Entry, *, conflict_outcome: Outcome | None) -> Classification:
    """Judge an attempt, and note the API's answer at the entry (for a dead letter)."""
    match attempt:
        case Accepted(status):
            entry.status = status
            return Classification(Outcome.ACCEPTED)
        case Refused(status, reason, answer):
            _note(entry, status, reason, answer)
            return Classification(Outcome.REFUSED)
        case Conflict(status, answer):
            _note(entry, status, "the API answered 409: it has this order already", answer)
            likely = Outcome.ACCEPTED if entry.may_have_arrived else Outcome.REFUSED
            return Classification(conflict_outcome or likely)
        case Unauthorized(status, reason):
            _note(entry, status, reason, "")
            return Classification(kind=HoldKind.UNAUTHORIZED, why=reason)
        case Throttled(wait_seconds, reason):
            _note(entry, 429, reason, "")
            return _hold(HoldKind.THROTTLED, reason, wait_seconds, may_have_arrived=False)
        case Unavailable(status, reason, may_have_arrived, wait_seconds):
            _note(entry, status, reason, "")
            kind = HoldKind.UNAVAILABLE
            return _hold(kind, reason, wait_seconds, may_have_arrived=may_have_arrived)
        case _:
            assert_never(attempt)


def _hold(
    kind: HoldKind, why: str, wait_seconds: float | None, *, may_have_arrived: bool
) -> Classification:
    wait = wait_seconds or 0.0
    capped = wait > HOLD_SECONDS_MAX
    return Classification(None, kind, why, min(wait, HOLD_SECONDS_MAX), capped, may_have_arrived)


def _note(entry: Entry, status: int | None, reason: str, answer: str) -> None:
    entry.status, entry.reason, entry.answer = status, reason, answer
