"""Did every order arrive, as it is, and how often? (promises 1 and 2)"""

from collections import defaultdict
from collections.abc import Sequence

from sandbox.judge.evidence import ExpectedOrder, Numbers, Request
from sandbox.judge.verdict import Verdict, some


def requests_by_line(
    orders: Sequence[ExpectedOrder], requests: Sequence[Request]
) -> dict[int, list[Request]]:
    """The requests of each line in order of arrival, known by their idempotency key."""
    lines = {order.idempotency_key: order.line for order in orders}
    by_line: dict[int, list[Request]] = defaultdict(list)
    for request in requests:
        line = lines.get(request.idempotency_key)
        if line is not None:
            by_line[line].append(request)
    return by_line


def repeats(requests: Sequence[Request]) -> list[Request]:
    """The requests whose order the API had taken before; keys tell orders from each other."""
    taken: set[str] = set()
    again: list[Request] = []
    for request in requests:
        if request.idempotency_key in taken:
            again.append(request)
        if request.is_accepted:
            taken.add(request.idempotency_key)
    return again


def nothing_is_lost(
    orders: Sequence[ExpectedOrder],
    requests: Sequence[Request],
    polls: Sequence[Numbers],
) -> Verdict:
    """Promise 1. `polls`: the upload's numbers, every time somebody looked; the last one counts."""
    by_line = requests_by_line(orders, requests)
    accepted = [o for o in orders if any(r.is_accepted for r in by_line[o.line])]
    breaches = [f"the numbers do not add up: {poll}" for poll in polls if not poll.adds_up]
    breaches += _altered(orders, by_line)
    now = polls[-1]
    unsent = now.refused + now.cancelled + now.missing + now.waiting
    lost = len(orders) - len(accepted) - unsent
    if lost > 0:
        lines = [o.line for o in orders if o not in set(accepted)]
        breaches.append(f"{lost} orders never arrived; not accepted are the lines {some(lines)}")
    if now.missing:
        breaches.append(f"{now.missing} orders went missing between ledger and stream")
    if not now.waiting and now.enqueued != len(orders):
        breaches.append(f"the file holds {len(orders)} orders, the ledger knows {now.enqueued}")
    if not now.accepted <= len(accepted) <= now.accepted + now.waiting:
        breaches.append(f"the API accepted {len(accepted)} orders, the ledger says {now.accepted}")
    evidence = (
        f"{len(orders)} orders = {now.accepted} accepted + {now.refused} refused + "
        f"{now.cancelled} cancelled + {now.missing} missing + {now.waiting} waiting; "
        f"the API accepted {len(accepted)}, byte for byte; added up at {len(polls)} looks"
    )
    return Verdict(1, evidence, tuple(breaches))


def _altered(orders: Sequence[ExpectedOrder], by_line: dict[int, list[Request]]) -> list[str]:
    return [
        f"line {order.line} arrived altered: body {request.body_sha256[:12]} of order "
        f"{request.order_id!r} instead of {order.body_sha256[:12]} of {order.order_id!r}"
        for order in orders
        for request in by_line[order.line]
        if (request.body_sha256, request.order_id) != (order.body_sha256, order.order_id)
    ]


def repeats_are_bounded(
    orders: Sequence[ExpectedOrder],
    requests: Sequence[Request],
    *,
    kills: int = 0,
    window: int = 1,
) -> Verdict:
    """Promise 2. At most `window` repeats for each of `kills`, and never under another key."""
    again = repeats(requests)
    breaches = []
    if len(again) > kills * window:
        names = some([request.order_id for request in again])
        breaches.append(f"{len(again)} repeats where {kills} kills allow {kills * window}: {names}")
    known = {order.idempotency_key for order in orders}
    strange = [r for r in requests if r.idempotency_key not in known]
    if strange:
        names = some([f"{r.order_id} ({r.idempotency_key or 'no key'})" for r in strange])
        breaches.append(f"{len(strange)} requests under a key of no order of the file: {names}")
    evidence = f"{len(again)} repeats, {kills * window} allowed; each order had one key"
    return Verdict(2, evidence, tuple(breaches))
