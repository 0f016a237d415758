"""What does the API do with this request?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import assert_never

from sandbox.api.faults import Fault, FaultBook, FaultKind
from sandbox.api.gap import GapRule
from sandbox.api.quota_rule import QuotaRule
from sandbox.api.request_log import RequestLog
from sandbox.api.responses import Response, accepted, problem, results_of, value
from sandbox.api.taken_requests import OrdersNamed, TakenRequests


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


@dataclass(slots=True)
class ThrottledApi:
    """Decides request by request: faults first, then gap and quotas. Callers hold `lock`.

    A request answered by a fault counts for both like any other that is not answered 429.
    """

    gap: GapRule
    takes: TakenRequests = field(default_factory=TakenRequests)
    log: RequestLog = field(default_factory=RequestLog)
    faults: FaultBook = field(default_factory=FaultBook)
    lock: Lock = field(default_factory=Lock)
    quota: QuotaRule = field(default_factory=QuotaRule)

    def decide(
        self,
        method: str,
        target: str,
        arrived_at: float,
        orders: OrdersNamed | None = None,
    ) -> Plan:
        """The plan for a request; `arrived_at` in seconds of one monotonic clock.

        orders: those in its body, where the path names none.
        """
        orders = orders or OrdersNamed(self.takes.order_id_in(target))
        faulty: dict[str, Fault] = {}
        fault = self.faults.take(orders.order_id, arrived_at)
        if fault is None and orders.batch:
            faulty = self._faults_of(orders.batch, arrived_at)
            fault = self._fault_of_all(faulty)
        usual = partial(self._usual, method, target, arrived_at, orders, faulty)
        if fault is None:
            return Reply(usual(), arrived_at)
        due_at = arrived_at + (fault.latency_seconds or 0.0)
        match fault.kind:
            case FaultKind.SLOW:
                return Reply(usual(), due_at)
            case FaultKind.DRIP:
                pause_seconds = 1.0 if fault.latency_seconds is None else fault.latency_seconds
                return Drip(usual(), pause_seconds)
            case FaultKind.STATUS:
                response = _faulty(fault)
                if response.status != 429:  # noqa: PLR2004 - Too Many Requests spends nothing
                    self._count(arrived_at)
                return Reply(response, due_at)
            case FaultKind.HANG:
                self._count(arrived_at)
                return Hang()
            case FaultKind.RESET:
                self._count(arrived_at)
                return Reset(due_at)
            case _:
                assert_never(fault.kind)

    def _count(self, arrived_at: float) -> None:
        self.gap.count(arrived_at)
        self.quota.count(arrived_at)

    def _faults_of(self, order_ids: Sequence[str], arrived_at: float) -> dict[str, Fault]:
        """The faults of single orders of a batch."""
        found = {order_id: self.faults.take(order_id, arrived_at) for order_id in order_ids}
        return {order_id: fault for order_id, fault in found.items() if fault}

    def _fault_of_all(self, faulty: Mapping[str, Fault]) -> Fault | None:
        """The fault of one order that the whole batch meets: any, unless each has its answer."""
        answers_for_each = self.takes.results is not None
        whole = (f for f in faulty.values() if not answers_for_each or f.kind != FaultKind.STATUS)
        return next(whole, None)

    def _usual(
        self,
        method: str,
        target: str,
        arrived_at: float,
        orders: OrdersNamed,
        faulty: Mapping[str, Fault],
    ) -> Response:
        if not self.gap.admits(arrived_at):
            return problem(429, "Too many requests: this one came too soon after the last.")
        used_up = self.quota.used_up(arrived_at)
        if used_up:
            return problem(429, f"Too many requests: the quota of {used_up} is used up.")
        self._count(arrived_at)
        takes = self.takes
        if not takes.is_at(target):
            return problem(404, f"There is only {takes.path} here.")
        if method != takes.method:
            return problem(405, f"An order is {takes.method}.", (f"Allow: {takes.method}",))
        if orders.batch is None:
            return accepted(orders.order_id)
        if takes.results is None:
            return value({"status": "accepted", "orders": len(orders.batch)})
        statuses = {order_id: fault.status or 500 for order_id, fault in faulty.items()}
        return results_of(orders.batch, statuses, takes.results)


def _faulty(fault: Fault) -> Response:
    headers = [] if fault.retry_after is None else [f"Retry-After: {fault.retry_after}"]
    status = fault.status or 500
    if 300 <= status < 400:  # noqa: PLR2004 - redirects; following one shows in the request log
        headers.append("Location: /redirected")
    return problem(status, "The sandbox was told to answer so.", tuple(headers))
