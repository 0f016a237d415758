"""What is known of one request while it is in hand?"""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.api.answers import Listing
from sandbox.api.decision import Plan, order_id_of
from sandbox.api.request_log import LogEntry

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(slots=True)
class Exchange:
    """A request as far as it has arrived, and the answer as far as it was sent."""

    arrived_at: float
    place: int
    method: str = ""
    target: bytes = b""
    idempotency_key: str | None = None
    body: bytearray = field(default_factory=bytearray)
    announced_bytes: int = 0
    body_bytes: int = 0
    digest: "_Hash" = field(default_factory=hashlib.sha256)
    plan: Plan | Listing | None = None
    whole: bool = False
    closes: bool = False
    status: int = 0

    @property
    def is_control(self) -> bool:
        """Whether it speaks to the sandbox and not to the API that the sandbox stands in for."""
        return self.target.startswith(b"/_sandbox/")

    @property
    def path(self) -> str:
        """The request target as received."""
        return self.target.decode(errors="replace")

    def log_entry(self) -> LogEntry:
        """The entry for the request log, once the exchange has ended."""
        path = self.path
        return LogEntry(
            t=self.arrived_at,
            method=self.method,
            path=path,
            order_id=order_id_of(path),
            status=self.status,
            idempotency_key=self.idempotency_key,
            body_sha256=self.digest.hexdigest(),
        )
