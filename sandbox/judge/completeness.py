"""Did every order arrive unaltered, and how often (promises 1 and 2)?"""

from collections.abc import Mapping, Sequence

from sandbox.judge.observations import Observed, Request
from sandbox.judge.verdict import PromiseVerdict, some


def nothing_is_lost(seen: Observed) -> PromiseVerdict:
    """Promise 1, at every poll and compared with what the API received."""
    by_line = seen.requests_by_line()
    unaccepted = [
        order for order in seen.orders if not any(r.is_accepted for r in by_line[order.line])
    ]
    accepted = len(seen.orders) - len(unaccepted)
    now = seen.now
    breaches = [f"the numbers do not add up: {poll}" for poll in seen.polls if not poll.adds_up]
    breaches += _altered(seen, by_line)
    lost = len(unaccepted) - (now.refused + now.cancelled + now.missing + now.waiting)
    if lost > 0:
        lines = some([order.line for order in unaccepted])
        breaches.append(f"{lost} orders never arrived; not accepted are the lines {lines}")
    if now.missing:
        breaches.append(f"{now.missing} orders went missing between ledger and stream")
    if not now.waiting and now.enqueued != len(seen.orders):
        breaches.append(f"the file holds {len(seen.orders)} orders, the ledger {now.enqueued}")
    if not now.accepted <= accepted <= now.accepted + now.waiting:
        breaches.append(f"the API accepted {accepted} orders, the ledger says {now.accepted}")
    evidence = (
        f"{now.enqueued} orders = {now.accepted} accepted + {now.refused} refused + "
        f"{now.cancelled} cancelled + {now.missing} missing + {now.waiting} waiting; "
        f"the API took {accepted}, byte for byte; it added up at all {len(seen.polls)} polls"
    )
    return PromiseVerdict(1, evidence, tuple(breaches))


def _altered(seen: Observed, by_line: Mapping[int, Sequence[Request]]) -> list[str]:
    return [
        f"line {order.line} arrived altered: body {request.body_sha256[:12]} of order "
        f"{request.order_id!r} instead of {order.body_sha256[:12]} of {order.order_id!r}"
        for order in seen.orders
        for request in by_line[order.line]
        if (request.body_sha256, request.order_id) != (order.body_sha256, order.order_id)
    ]


def repeats_are_bounded(seen: Observed, *, kills: int = 0, window: int = 1) -> PromiseVerdict:
    """Promise 2: at most `window` repeats for each of `kills`, and none under another key."""
    again = seen.repeats()
    allowed = kills * window
    breaches = []
    if len(again) > allowed:
        names = some([request.order_id for request in again])
        breaches.append(f"{len(again)} repeats where {kills} kills allow {allowed}: {names}")
    known = {order.idempotency_key for order in seen.orders}
    strange = [r for r in seen.requests if r.idempotency_key not in known]
    if strange:
        names = some([f"{r.order_id} ({r.idempotency_key or 'no key'})" for r in strange])
        breaches.append(f"{len(strange)} requests under a key of no order of the file: {names}")
    evidence = f"{len(again)} repeats, {allowed} allowed; each order came under one key"
    return PromiseVerdict(2, evidence, tuple(breaches))
