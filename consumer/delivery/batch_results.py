"""What does an attempt mean for each order of a batch?

One answer for all: what it means for one order, it means for each of them; but a refusal of several
says only that one of them at least is refused, and so the batch is halved. An answer for each
order: orders without a usable one are sent again, and only where no order has one, sending holds.
"""

from dataclasses import dataclass

from consumer.delivery.attempts import Answered, Attempt, Conflict
from consumer.delivery.batch import Batch
from consumer.delivery.classification import classify
from consumer.delivery.entries import Entry
from ledger.pace.hold import Failure
from orders.outcome import Outcome


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Of the orders under way: the outcomes that are known, or why all of them failed, or neither.

    is_halved: it is neither; the batch is to be sent in halves.
    """

    outcomes: tuple[tuple[Entry, Outcome], ...] = ()
    failure: Failure | None = None

    @property
    def is_halved(self) -> bool:
        """Was the batch refused as a whole?"""
        return not self.outcomes and self.failure is None

    @property
    def has_accepted(self) -> bool:
        """Was any order accepted?"""
        return any(outcome is Outcome.ACCEPTED for _, outcome in self.outcomes)


def classify_batch(
    attempt: Attempt, batch: Batch, *, generation: int, conflict_outcome: Outcome | None
) -> BatchResult:
    """The result for the orders under way; they note what the API said. See `classify`."""
    orders = batch.under_way
    is_for_each = isinstance(attempt, Answered)
    if isinstance(attempt, Conflict) and len(orders) > 1:
        return BatchResult()  # it has one of them at least; which ones, their own answers say
    answers = attempt.results if isinstance(attempt, Answered) else (attempt,) * len(orders)
    outcomes: list[tuple[Entry, Outcome]] = []
    failures: list[Failure] = []
    for order, answer in zip(orders, answers, strict=True):
        result = classify(answer, order, generation=generation, conflict_outcome=conflict_outcome)
        if isinstance(result, Failure):
            failures.append(result)
        else:
            outcomes.append((order, result))
    batch.may_have_arrived |= any(order.may_have_arrived for order in orders)
    if not outcomes:
        return BatchResult(failure=failures[0])
    is_refused = any(outcome is Outcome.REFUSED for _, outcome in outcomes)
    if is_refused and len(orders) > 1 and not is_for_each:
        return BatchResult()
    return BatchResult(outcomes=tuple(outcomes))
