"""In which ways can an order be settled?"""

from enum import StrEnum


class Outcome(StrEnum):
    """How an order left the backlog; once settled it is never sent again.

    The text of a member is its name in the ledger, in metrics and in answers of the
    `orders` command, so it must stay what it is.
    """

    ACCEPTED = "accepted"
    """The API took it (2xx, or 409 after an attempt that may have got through)."""

    REFUSED = "refused"
    """The API will never take it; the order is kept as a dead letter with the reason."""

    CANCELLED = "cancelled"
    """A person cancelled its upload before it was sent."""

    MISSING = "missing"
    """It was enqueued and never arrived from the stream: counted and alarmed, never silent."""
