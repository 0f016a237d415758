"""The settings of a delivery."""

from dataclasses import dataclass

from orders.outcome import Outcome

ORDERS_IN_HAND_MAX = 20_000
"""With batches, so many orders are in hand at most.

Where an answer settles every other order, each is a range in its lane's row, which DynamoDB takes
up to 400 KB of: 10,000 ranges of 26 characters."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """The settings of one shard's delivery.

    window_max: orders, or batches, in hand. refusal_budget: more than N and more than P percent
    block sending.
    conflict_outcome: what every 409 means; None: accepted if an earlier attempt may have got
    through, else refused.
    batch_orders: so many orders go into one request, at most; batch_linger_seconds: how long one
    that could be sent waits for more of them.
    """

    shard: str
    token: str
    window_max: int = 64
    refusal_budget: tuple[int, float] = (20, 5.0)
    failed_alone: int = 3
    conflict_outcome: Outcome | None = None
    batch_orders: int = 1
    batch_linger_seconds: float = 2.0

    @property
    def window_size_max(self) -> int:
        """How many orders, or batches, are in hand and not settled, at most."""
        if self.batch_orders == 1:
            return self.window_max
        return min(self.window_max, ORDERS_IN_HAND_MAX // self.batch_orders)
