"""Requests for adapters of the API to send."""

from consumer.delivery.attempts import OrderRequest


def outgoing(order_id: str = "o-1", body: bytes = b"{}", *, key: str = "key-1") -> OrderRequest:
    """One order of some upload."""
    return OrderRequest("a" * 20, 1, order_id, body, idempotency_key=key)
