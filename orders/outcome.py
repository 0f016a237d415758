"""The ways to settle an order."""

from enum import StrEnum


class Outcome(StrEnum):
    """How an order left the backlog; once settled it is never sent again.

    The values are stored in the ledger and appear in metrics and in the output of the `orders`
    command, so they must not change.
    """

    ACCEPTED = "accepted"
    """The API accepted it (2xx, or 409 after an attempt that may have got through)."""

    REFUSED = "refused"
    """The API will never take it; the order is kept as a dead letter with the reason."""

    CANCELLED = "cancelled"
    """A person cancelled its upload before it was sent."""

    MISSING = "missing"
    """It was enqueued but never arrived from the stream: counted and alarmed, never silent."""
