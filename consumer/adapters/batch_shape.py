"""How orders of a batch are sent, and what the API's answer comes to for them."""

from dataclasses import dataclass
from typing import Final

from consumer.adapters.batch_answer import MULTI_STATUS, MeaningOfStatus, ResultNames, results_in
from consumer.adapters.batch_body import BatchFormat
from consumer.delivery.attempts import Accepted, Attempt, BatchRequest, Unavailable


@dataclass(frozen=True, slots=True)
class BatchShape:
    """The form of the body, and where an answer has a result for each order; None: nowhere."""

    form: BatchFormat = BatchFormat.ARRAY
    results: ResultNames | None = None

    def attempt_from(
        self, accepted: Accepted, answer: bytes, request: BatchRequest, meaning: MeaningOfStatus
    ) -> Attempt:
        """What a successful answer comes to: for all orders, or for each of them."""
        if self.results is not None:
            ids = [order.order_id for order in request.orders]
            return results_in(answer, ids, self.results, meaning, status=accepted.status)
        if accepted.status == MULTI_STATUS:
            reason = (
                "the API answered 207 Multi-Status, a result for each order, and "
                "ORDERS_BATCH_RESULTS does not say where they stand"
            )
            return Unavailable(accepted.status, reason, may_have_arrived=True)
        return accepted


ONE_STATUS: Final = BatchShape()
"""A JSON array, and one status for all of its orders."""
