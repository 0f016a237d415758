"""Did an outage cost time only (promise 5)?"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sandbox.judge.observations import Observed, Request
from sandbox.judge.verdict import PromiseVerdict, some

FREE_PROBES = 5
"""Attempts before the back-off has reached its last step: in flight, then after 1, 2 and 4 s."""
PROBE_SECONDS = 4.8
"""After that one every 5 s, slightly less to allow for the clocks."""


@dataclass(frozen=True, slots=True)
class Outage:
    """The API was down from `start` to `end`, in seconds of its log."""

    start: float
    end: float


def outage_costs_time_only(
    seen: Observed,
    *,
    outages: Sequence[Outage],
    refused_for_good: Collection[str] = (),
    recovery_seconds: float = 6.0,
) -> PromiseVerdict:
    """Promise 5: sending held, probed with single attempts, and went on.

    refused_for_good: the order ids that the API refuses on purpose; no other order may end as a
    dead letter. recovery_seconds: until the first accepted order after an outage.
    """
    by_line = seen.requests_by_line()
    now = seen.now
    breaches = []
    expected = sum(order.order_id in refused_for_good for order in seen.orders)
    if now.refused > expected:
        breaches.append(f"{now.refused} orders were refused, only {expected} had to be")
    probes = 0
    for outage in outages:
        during = [r for r in seen.requests if outage.start <= r.t < outage.end]
        probes += len(during)
        most = FREE_PROBES + (outage.end - outage.start) / PROBE_SECONDS
        if len(during) > most:
            breaches.append(f"{len(during)} requests during an outage that allows {most:.0f}")
        breaches += _recovery(seen.requests, outage, recovery_seconds)
    if not now.waiting and not now.cancelled:
        held = [
            order.order_id
            for order in seen.orders
            if order.order_id not in refused_for_good
            and not any(r.is_accepted for r in by_line[order.line])
        ]
        if held:
            breaches.append(f"good orders were not accepted: {some(held)}")
    seconds = sum(outage.end - outage.start for outage in outages)
    evidence = (
        f"{probes} probes in {seconds:.1f} s of outage; refused {now.refused}, "
        f"of which {min(expected, now.refused)} on purpose"
    )
    return PromiseVerdict(5, evidence, tuple(breaches))


def _recovery(requests: Sequence[Request], outage: Outage, most_seconds: float) -> list[str]:
    after = [request for request in requests if request.t >= outage.end]
    accepted = next((request.t for request in after if request.is_accepted), None)
    if accepted is None:
        return ["nothing was accepted after the outage"]
    if accepted - outage.end > most_seconds:
        return [f"sending went on only {accepted - outage.end:.1f} s after the outage"]
    return []
