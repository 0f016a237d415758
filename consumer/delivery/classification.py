"""What an attempt means for its order, and for all of sending."""

from typing import assert_never

from consumer.delivery.attempts import (
    Accepted,
    Conflict,
    OrderAttempt,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from consumer.delivery.entries import Entry
from ledger.pace.hold import Failure, HoldKind
from orders.outcome import Outcome


def classify(
    attempt: OrderAttempt, entry: Entry, *, generation: int, conflict_outcome: Outcome | None
) -> Outcome | Failure:
    """The order's outcome, or why all sending holds; the entry notes what the API said.

    generation: of the attempt's turn. conflict_outcome: see DeliverySettings.
    """

    def failure(kind: HoldKind, reason: str, wait_seconds: float | None = None) -> Failure:
        why = f"{reason} (order {entry.name})"
        return Failure(kind, generation, why, wait_seconds or 0.0, entry.started_at)

    match attempt:
        case Accepted(status):
            entry.status = status
            return Outcome.ACCEPTED
        case Refused(status, reason, answer):
            entry.note_answer(status, reason, answer)
            return Outcome.REFUSED
        case Conflict(status, answer):
            reason = f"the API answered {status}: it has this order already"
            entry.note_answer(status, reason, answer)
            likely = Outcome.ACCEPTED if entry.may_have_arrived else Outcome.REFUSED
            return conflict_outcome or likely
        case Unauthorized(status, reason):
            entry.note_answer(status, reason)
            return failure(HoldKind.UNAUTHORIZED, reason)
        case Throttled(wait_seconds, reason, status):
            entry.note_answer(status, reason)
            return failure(HoldKind.THROTTLED, reason, wait_seconds)
        case Unavailable(status, reason, may_have_arrived, wait_seconds):
            entry.note_answer(status, reason)
            entry.may_have_arrived |= may_have_arrived
            return failure(HoldKind.UNAVAILABLE, reason, wait_seconds)
        case _:
            assert_never(attempt)
