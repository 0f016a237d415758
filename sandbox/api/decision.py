"""What does the API do with this request?"""

from dataclasses import dataclass, field
from threading import Lock
from typing import assert_never
from urllib.parse import unquote_to_bytes

from sandbox.api.faults import Fault, FaultBook, FaultKind
from sandbox.api.gap import GapRule
from sandbox.api.request_log import RequestLog
from sandbox.api.responses import Response, accepted, problem

_ORDERS = "/orders/"


@dataclass(frozen=True, slots=True)
class Reply:
    """Respond, at the earliest `due_at` (seconds of the arrivals' clock)."""

    response: Response
    due_at: float


@dataclass(frozen=True, slots=True)
class Drip:
    """Respond with this pause before every byte of the body."""

    response: Response
    pause_seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Keep the connection open and never respond."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection, at the earliest `due_at`."""

    due_at: float


Plan = Reply | Drip | Hang | Reset


def order_id_in(target: str) -> str | None:
    """The order id in a request target as received, percent-decoded; None where it names none."""
    path = target.partition("?")[0]
    if not path.startswith(_ORDERS):
        return None
    segment = path[len(_ORDERS) :]
    if not segment or "/" in segment:
        return None
    return unquote_to_bytes(segment).decode(errors="replace")


@dataclass(slots=True)
class ThrottledApi:
    """Decides request by request: faults first, then the gap. Callers hold `lock`.

    A request answered by a fault counts for the gap like any other that is not answered 429.
    """

    gap: GapRule
    log: RequestLog = field(default_factory=RequestLog)
    faults: FaultBook = field(default_factory=FaultBook)
    lock: Lock = field(default_factory=Lock)

    def decide(self, method: str, target: str, arrived_at: float) -> Plan:
        """The plan for a request; `arrived_at` in seconds of one monotonic clock."""
        order_id = order_id_in(target)
        fault = self.faults.take(order_id, arrived_at)
        if fault is None:
            return Reply(self._usual(method, order_id, arrived_at), arrived_at)
        due_at = arrived_at + (fault.latency_seconds or 0.0)
        match fault.kind:
            case FaultKind.SLOW:
                return Reply(self._usual(method, order_id, arrived_at), due_at)
            case FaultKind.DRIP:
                pause_seconds = 1.0 if fault.latency_seconds is None else fault.latency_seconds
                return Drip(self._usual(method, order_id, arrived_at), pause_seconds)
            case FaultKind.STATUS:
                response = _faulty(fault)
                if response.status != 429:  # noqa: PLR2004 - Too Many Requests spends nothing
                    self.gap.count(arrived_at)
                return Reply(response, due_at)
            case FaultKind.HANG:
                self.gap.count(arrived_at)
                return Hang()
            case FaultKind.RESET:
                self.gap.count(arrived_at)
                return Reset(due_at)
            case _:
                assert_never(fault.kind)

    def _usual(self, method: str, order_id: str | None, arrived_at: float) -> Response:
        if not self.gap.admits(arrived_at):
            return problem(429, "Too many requests: this one came too soon after the last.")
        self.gap.count(arrived_at)
        if order_id is None:
            return problem(404, "There is only /orders/{order_id} here.")
        if method != "PUT":
            return problem(405, "An order is PUT.", ("Allow: PUT",))
        return accepted(order_id)


def _faulty(fault: Fault) -> Response:
    headers = [] if fault.retry_after is None else [f"Retry-After: {fault.retry_after}"]
    status = fault.status or 500
    if 300 <= status < 400:  # noqa: PLR2004 - redirects; following one shows in the request log
        headers.append("Location: /redirected")
    return problem(status, "The sandbox was told to answer so.", tuple(headers))
