"""How long do so many orders take beside quotas and sending hours?

The near future is stepped through window by window, as turns will be reserved. Where that takes too
many steps, quotas of less than a day become the rate that they come to, and what is left after
that takes the average of it.
"""

from dataclasses import dataclass, replace
from math import ceil

from ledger.pace.limits import ParsedLimits, Used, room_from
from ledger.pace.pace import Pace

EXACT_STEPS = 300
ROUGH_STEPS = 600
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a look ahead got to: the moment, the orders until then, and what is used.

    Inside this module, `orders` counts requests, of which each carries a pace's orders_per_turn.
    """

    at: float
    orders: int
    used: Used


def seconds_to_send(orders: int, pace: Pace, per_second: float, start: float) -> float:
    """From `start` until the last of the orders, at this rate, beside the limits of the pace."""
    if not pace.limits.is_set:
        return orders / per_second
    orders, per_second = ceil(orders / pace.orders_per_turn), per_second / pace.orders_per_turn
    limits = pace.limits.parsed
    sent = _walk(limits, Sent(start, 0, pace.used), orders, per_second, EXACT_STEPS)
    if sent.orders < orders:
        limits, per_second = _rough(limits, per_second)
        from_start = sent
        sent = _walk(limits, sent, orders, per_second, ROUGH_STEPS)
        if sent.orders < orders:
            done = sent.orders - from_start.orders
            average = done / (sent.at - from_start.at)
            return sent.at - start + (orders - sent.orders) / average
    return sent.at - start


def sent_until(end: float, orders: int, pace: Pace, per_second: float, start: float) -> Sent:
    """What is sent, of so many, before a moment."""
    limits, each = pace.limits.parsed, pace.orders_per_turn
    requests, begin = ceil(orders / each), Sent(start, 0, pace.used)
    sent = _walk(limits, begin, requests, per_second / each, EXACT_STEPS, end=end)
    return replace(sent, orders=min(orders, sent.orders * each))


def _walk(  # noqa: PLR0913, PLR0917 - one place, all of it needed
    limits: ParsedLimits,
    sent: Sent,
    orders: int,
    per_second: float,
    steps: int,
    end: float = float("inf"),
) -> Sent:
    for _ in range(steps):
        left = orders - sent.orders
        if left <= 0 or sent.at >= end:
            break
        room = room_from(limits, sent.used, sent.at)
        if room.start >= end:
            break
        fits = (min(room.end, end) - room.start) * per_second
        turns = int(max(1.0, min(left, room.turns, fits)))
        used = sent.used.with_turns(limits, room.start, turns).since(limits, room.start)
        sent = Sent(room.start + turns / per_second, sent.orders + turns, used)
    return sent


def _rough(limits: ParsedLimits, per_second: float) -> tuple[ParsedLimits, float]:
    kept = tuple(q for q in limits.quotas if not q.is_rolling and q.seconds >= _DAY_SECONDS)
    spread = (q.count / q.seconds for q in limits.quotas if q not in kept)
    return replace(limits, quotas=kept), min([per_second, *spread])
