"""What follows from the result of an attempt: for its order, for its batch, for all of sending?"""

from collections.abc import Iterator

from consumer.delivery.actions import Send
from consumer.delivery.attempts import Accepted, Answered, Attempt, OrderAttempt, Unavailable
from consumer.delivery.batch import Batch
from consumer.delivery.batch_results import classify_batch
from consumer.delivery.classification import classify
from consumer.delivery.entries import Entry
from consumer.delivery.events import Observer, WaitCapped
from consumer.delivery.failure_evidence import FailureEvidence
from consumer.delivery.orders_in_hand import OrdersInHand
from ledger.pace.hold import HOLD_SECONDS_MAX, Failure, HoldKind
from orders.outcome import Outcome

LONE_FAILURES = 5
"""So often a batch fails before it is taken apart because there is no other to compare it with."""
SUCCESSES = range(200, 300)


class AttemptResults:
    """Gives orders their outcomes, and tells the pace how the API is doing."""

    def __init__(self, orders: OrdersInHand, evidence: FailureEvidence, observe: Observer) -> None:
        self._orders = orders
        self._view = orders.view
        self._window = orders.window
        self._evidence = evidence
        self._conflict_outcome = orders.settings.conflict_outcome
        self._observe = observe

    def ended(self, send: Send, attempt: Attempt, *, now: float, latency_seconds: float) -> None:
        """A Send made its attempt."""
        if isinstance(send.entry, Batch):
            self._batch_ended(send, send.entry, attempt, now, latency_seconds)
        elif not isinstance(attempt, Answered):  # which answers a batch only
            self._order_ended(send, attempt, now, latency_seconds)

    def _order_ended(
        self, send: Send, attempt: OrderAttempt, now: float, latency_seconds: float
    ) -> None:
        entry, generation = send.entry, send.turn.generation
        result = classify(
            attempt, entry, generation=generation, conflict_outcome=self._conflict_outcome
        )
        if isinstance(result, Failure):
            self._failed(send, attempt, result, now)
            return
        self._window.answered(latency_seconds)
        if isinstance(attempt, Accepted):
            self._evidence.accept(entry)
        self._view.answered(generation, entry.started_at, now)
        self._orders.finish(entry, result)

    def _batch_ended(
        self, send: Send, batch: Batch, attempt: Attempt, now: float, latency_seconds: float
    ) -> None:
        generation = send.turn.generation
        result = classify_batch(
            attempt, batch, generation=generation, conflict_outcome=self._conflict_outcome
        )
        if result.failure:
            self._failed(send, attempt, result.failure, now)
            return
        self._window.answered(latency_seconds)
        if result.has_accepted:
            self._evidence.accept(_suspect_of(batch))
        self._view.answered(generation, batch.started_at, now)
        if result.is_halved:
            batch.halve()
        else:
            self._orders.finish_parts(batch, self._within_budget(batch, result.outcomes))

    def _within_budget(
        self, batch: Batch, outcomes: tuple[tuple[Entry, Outcome], ...]
    ) -> Iterator[tuple[Entry, Outcome]]:
        """The outcomes up to the refusal that spends the budget; then only the accepted orders.

        The other refused ones are sent again once a person has lifted the blocker. Each is to be
        finished before the next is asked for.
        """
        yield from ((order, outcome) for order, outcome in outcomes if outcome is Outcome.ACCEPTED)
        refused = [pair for pair in outcomes if pair[1] is not Outcome.ACCEPTED]
        for number, pair in enumerate(refused):
            if number and self._orders.is_budget_spent(batch):
                return
            yield pair

    def _failed(self, send: Send, attempt: Attempt, failure: Failure, now: float) -> None:
        entry, evidence, is_probe = send.entry, self._evidence, send.turn.is_probe
        evidence.pass_elsewhere(self._view.pace.passed)
        if failure.wait_seconds > HOLD_SECONDS_MAX:
            self._observe(WaitCapped(failure.why))
        suspect = _suspect_of(entry)
        is_limited = suspect.is_suspect and evidence.others_passed(suspect)
        self._window.failed += not entry.failures
        if suspect is not entry:
            entry.fail(now, others_passed=False)
        if evidence.fail(suspect, now=now, is_probe=is_probe):
            self._blame(entry)
        elif isinstance(entry, Batch):
            self._look_closer(entry, attempt)
        if is_limited and failure.kind is HoldKind.THROTTLED and not is_probe:
            return  # the API limits this order, by customer perhaps, and takes others
        self._view.failed(failure, now)

    def _blame(self, entry: Entry) -> None:
        """Refuse an order that failed alone; of several that did together, find it first."""
        order = _suspect_of(entry)
        if isinstance(order, Batch):
            order.search()
            return
        order.reason = f"failed alone: {order.reason}"
        if isinstance(entry, Batch):
            self._orders.finish_parts(entry, [(order, Outcome.REFUSED)])
        else:
            self._orders.finish(entry, Outcome.REFUSED)

    def _look_closer(self, batch: Batch, attempt: Attempt) -> None:
        """Where no other batch is in hand to compare this one with, compare its parts."""
        is_lonely = batch.failures >= LONE_FAILURES and self._window.is_only(batch)
        if batch.is_searched or (is_lonely and _may_be_for_an_order(attempt)):
            batch.search()


def _may_be_for_an_order(attempt: Attempt) -> bool:
    """May one of several orders be why the request failed?

    Not where the API said wait or that we may not, where it never got the request, and where it
    took it, or answered for each order, in a way that is not understood: in parts, under other
    keys, it would take the same orders again.
    """
    if not isinstance(attempt, Unavailable) or not attempt.may_have_arrived:
        return False
    return attempt.status not in SUCCESSES


def _suspect_of(entry: Entry) -> Entry:
    """What failed: an order, also where it was the only one of its batch, or a batch."""
    if isinstance(entry, Batch) and len(entry.under_way) == 1:
        return entry.under_way[0]
    return entry
