"""The result of one HTTP attempt.

The published table is docs/api-answers.md; the adapter maps an answer to one of these values and
the delivery decides what follows, by an exhaustive match.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API took the order (2xx by default, as all statuses here)."""

    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The API will never take this order (most 4xx). `answer` is the start of its body.

    status: None where nothing was sent, for the order has no address.
    """

    status: int | None
    reason: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """409: accepted if an earlier attempt may have got through, else refused."""

    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """401 or 403: the credential is wrong, not the order."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """429. `wait_seconds` is what the API asked for, None where it named nothing."""

    wait_seconds: float | None
    reason: str
    status: int = 429


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No usable answer: 408, 425, 5xx, 3xx, connection or TLS failure, time-out, broken body.

    may_have_arrived: False only where nothing can have reached the API (the connection failed).
    wait_seconds: what a Retry-After asked for, None where it named nothing.
    """

    status: int | None
    reason: str
    may_have_arrived: bool
    wait_seconds: float | None = None


OrderAttempt = Accepted | Refused | Conflict | Unauthorized | Throttled | Unavailable


@dataclass(frozen=True, slots=True)
class Answered:
    """The API answered for each order of a batch: one result an order, in their order."""

    results: tuple[OrderAttempt, ...]


Attempt = OrderAttempt | Answered


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as it is to be sent.

    upload, line: where it comes from. idempotency_key: visible ASCII, the same at every attempt.
    """

    upload: str
    line: int
    order_id: str
    body: bytes
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Orders of one lane, at least one, as they are to be sent in one request.

    idempotency_key: of all of them together, as in OrderRequest.
    """

    orders: tuple[OrderRequest, ...]
    idempotency_key: str


class Api(Protocol):
    """The third party's API."""

    def send(
        self,
        order: OrderRequest | BatchRequest,
        *,
        begin: Callable[[], None],
        sent: Callable[[], None],
    ) -> Attempt:
        """Send one order or one batch, once; ends within the attempt's deadline and never raises.

        `begin` is called when the request is ready, and returns when its first byte may be sent;
        `sent` when the whole request is on its way, before the answer is waited for.
        """

    def connect(self) -> None:
        """Open a connection ahead of the first turn; a failure shows with the attempt."""
