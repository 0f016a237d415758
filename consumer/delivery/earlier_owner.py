"""How many orders may the process have begun that sent for the shard before this one?"""

from math import ceil

from consumer.delivery.delivery_settings import DeliverySettings
from ledger.pace.pace import Pace

FASTEST_PER_SECOND = 2_000
"""Without a rate, no process sends faster."""


def begun_before(pace: Pace, settings: DeliverySettings, now: float) -> int:
    """How many orders may have been sent before, from the first unsettled one on.

    The owner before said so with each turn that it reserved. Without turns, at the rate `none`,
    it is its window, and what it may send until it sees that the shard is not its own.
    """
    known = pace.in_doubt.get(settings.shard)
    if known is not None:
        return known
    rate = pace.rate(now)
    until_noticed = ceil(rate.per_second or FASTEST_PER_SECOND) if rate else 0
    return (settings.window_size_max + until_noticed) * settings.batch_orders
