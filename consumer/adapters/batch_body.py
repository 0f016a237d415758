"""The body of a request with several orders."""

from collections.abc import Sequence
from enum import StrEnum


class BatchFormat(StrEnum):
    """How several orders stand in one body."""

    ARRAY = "array"
    """A JSON array of the orders."""
    NDJSON = "ndjson"
    """One order a line."""

    @property
    def content_type(self) -> str:
        """The body's media type."""
        return "application/json" if self is BatchFormat.ARRAY else "application/x-ndjson"


def batch_body(bodies: Sequence[bytes], form: BatchFormat) -> bytes:
    """The orders' bodies, each a JSON value, in one body. The same orders give the same bytes."""
    if form is BatchFormat.ARRAY:
        return b"[" + b",".join(bodies) + b"]"
    # Outside of strings, where JSON allows none, a line break is but white space.
    return b"".join(body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" for body in bodies)
