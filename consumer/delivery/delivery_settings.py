"""The settings of a delivery."""

from dataclasses import dataclass

from orders.outcome import Outcome


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """The settings of one shard's delivery.

    window_max: orders. refusal_budget: more than N and more than P percent block sending.
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
