"""What does an API do that takes several orders in one request?"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from consumer.delivery.attempts import (
    Accepted,
    Answered,
    Attempt,
    BatchRequest,
    OrderAttempt,
    Refused,
    Unavailable,
)
from consumer.delivery.entries import Entry
from consumer.sending.requests_of_entries import request_of

LATENCY_SECONDS = 0.15


class ReceivedBatch(NamedTuple):
    """One request: when it came, its key, the lines of its orders, what was answered."""

    at: float
    key: str
    lines: tuple[int, ...]
    order_ids: tuple[str, ...]
    bodies: tuple[bytes, ...]
    attempt: Attempt


def refused(status: int = 422) -> Refused:
    """The answer to a request with a bad order in it."""
    return Refused(status, f"the API answered {status}", "no such sku")


@dataclass
class BatchApi:
    """An API that knows bad orders, and answers for each order or once for all.

    bad: by order id, the answer to an order that it never takes. answers_by: what it answers to all
    orders of a request instead, None: nothing else. batches: what came.
    """

    bad: dict[str, OrderAttempt] = field(default_factory=dict)
    answers_for_each: bool = False
    answers_by: Callable[[float], Attempt | None] = lambda _: None
    batches: list[ReceivedBatch] = field(default_factory=list)
    taken: Counter[int] = field(default_factory=Counter)

    def receive(self, entry: Entry, at: float, sender: str) -> tuple[float, Attempt]:
        """See ReceivingApi.receive."""
        del sender
        request = request_of(entry)
        assert isinstance(request, BatchRequest)
        attempt = self.answers_by(at) or self._answer(request)
        lines = tuple(order.line for order in request.orders)
        order_ids = tuple(order.order_id for order in request.orders)
        bodies = tuple(order.body for order in request.orders)
        received = ReceivedBatch(at, request.idempotency_key, lines, order_ids, bodies, attempt)
        self.batches.append(received)
        self.taken.update(taken_lines(received))
        return LATENCY_SECONDS, attempt

    def repeats_have_one_key(self) -> bool:
        """Did each order that was taken come under one key only, and each key with one body?"""
        bodies: dict[str, tuple[bytes, ...]] = {}
        keys: dict[int, str] = {}
        for batch in self.batches:
            if bodies.setdefault(batch.key, batch.bodies) != batch.bodies:
                return False
            for line in taken_lines(batch):
                if keys.setdefault(line, batch.key) != batch.key:
                    return False
        return True

    def _answer(self, request: BatchRequest) -> Attempt:
        answers = [self.bad.get(order.order_id, Accepted(200)) for order in request.orders]
        if self.answers_for_each:
            return Answered(tuple(answers))
        return next((a for a in answers if not isinstance(a, Accepted)), Accepted(200))


def taken_lines(received: ReceivedBatch) -> Collection[int]:
    """The lines of a request whose orders the API took."""
    match received.attempt:
        case Accepted():
            return received.lines
        case Answered(results):
            pairs = zip(received.lines, results, strict=True)
            return [line for line, result in pairs if isinstance(result, Accepted)]
        case _:
            return ()


def down() -> Unavailable:
    """The answer of an API that is down."""
    return Unavailable(503, "the API answered 503", may_have_arrived=True)
