"""What does the API do with this request?"""

from dataclasses import dataclass, field
from typing import assert_never
from urllib.parse import unquote_to_bytes

from sandbox.api.answers import Answer, accepted, problem
from sandbox.api.faults import Fault, FaultBook, FaultKind
from sandbox.api.gap import GapRule

_ORDERS = "/orders/"


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer, at the earliest `due_at` (seconds of the arrivals' clock)."""

    answer: Answer
    due_at: float


@dataclass(frozen=True, slots=True)
class Drip:
    """Answer with this pause before every byte of the body."""

    answer: Answer
    pause_seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Keep the connection and never answer."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection, at the earliest `due_at`."""

    due_at: float


Plan = Reply | Drip | Hang | Reset


def order_id_of(target: str) -> str | None:
    """The order id in a request target as received, percent-decoded; None where it names none."""
    path = target.partition("?")[0]
    if not path.startswith(_ORDERS):
        return None
    segment = path[len(_ORDERS) :]
    if not segment or "/" in segment:
        return None
    return unquote_to_bytes(segment).decode(errors="replace")


@dataclass(slots=True)
class Desk:
    """Decides request by request, in order of arrival: faults first, then the gap.

    A request answered by a fault counts for the gap like any other that is not answered 429.
    """

    gap: GapRule
    faults: FaultBook = field(default_factory=FaultBook)

    def decide(self, method: str, target: str, arrived_at: float) -> Plan:
        """The plan for a request; `arrived_at` in seconds of one monotonic clock."""
        order_id = order_id_of(target)
        fault = self.faults.take(order_id, arrived_at)
        if fault is None:
            return Reply(self._usual(method, order_id, arrived_at), arrived_at)
        due_at = arrived_at + fault.latency_seconds
        match fault.kind:
            case FaultKind.SLOW:
                return Reply(self._usual(method, order_id, arrived_at), due_at)
            case FaultKind.DRIP:
                answer = self._usual(method, order_id, arrived_at)
                return Drip(answer, fault.latency_seconds)
            case FaultKind.STATUS:
                answer = _faulty(fault)
                if answer.status != 429:  # noqa: PLR2004 - Too Many Requests spends nothing
                    self.gap.count(arrived_at)
                return Reply(answer, due_at)
            case FaultKind.HANG:
                self.gap.count(arrived_at)
                return Hang()
            case FaultKind.RESET:
                self.gap.count(arrived_at)
                return Reset(due_at)
            case _:
                assert_never(fault.kind)

    def _usual(self, method: str, order_id: str | None, arrived_at: float) -> Answer:
        if not self.gap.admits(arrived_at):
            return problem(429, "Too many requests: this one came too soon after the last.")
        self.gap.count(arrived_at)
        if order_id is None:
            return problem(404, "There is only /orders/{order_id} here.")
        if method != "PUT":
            return problem(405, "An order is PUT.", ("Allow: PUT",))
        return accepted(order_id)


def _faulty(fault: Fault) -> Answer:
    headers = [] if fault.retry_after is None else [f"Retry-After: {fault.retry_after}"]
    status = fault.status or 500
    if 300 <= status < 400:  # noqa: PLR2004 - redirects; following one shows in the request log
        headers.append("Location: /redirected")
    return problem(status, "The sandbox was told to answer so.", tuple(headers))
