"""Which fault, if any, does the API answer this request with?"""

from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # answered with this status at once
    HANG = "hang"  # never answered
    RESET = "reset"  # the connection is reset (TCP RST) instead of an answer
    SLOW = "slow"  # answered as usual, later
    DRIP = "drip"  # answered as usual, the body byte by byte


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, and for whom and how long.

    `latency_seconds` is the time before the answer, for `drip` the pause before each byte of the
    body. Without `for_seconds` and `for_requests` it stays; with both, the first to be used up
    ends it. Without `order_id` it meets every request.
    """

    kind: FaultKind
    status: int | None = None
    retry_after: str | None = None
    latency_seconds: float = 0.0
    for_seconds: float | None = None
    for_requests: int | None = None
    order_id: str | None = None


@dataclass(slots=True)
class _Entry:
    fault: Fault
    ends_at: float | None
    requests_left: int | None

    def lives(self, now: float) -> bool:
        return (self.ends_at is None or now < self.ends_at) and self.requests_left != 0

    def meets(self, order_id: str | None) -> bool:
        return self.fault.order_id is None or self.fault.order_id == order_id


@dataclass(slots=True)
class FaultBook:
    """The faults in the order they were added; times are seconds of one monotonic clock."""

    _entries: list[_Entry] = field(default_factory=list)

    def add(self, fault: Fault, now: float) -> None:
        """Put a fault behind those that are there; its `for_seconds` start now."""
        ends_at = None if fault.for_seconds is None else now + fault.for_seconds
        self._entries.append(_Entry(fault, ends_at, fault.for_requests))

    def clear(self) -> None:
        """Forget every fault."""
        self._entries.clear()

    def count(self, now: float) -> int:
        """How many faults are not used up."""
        return sum(entry.lives(now) for entry in self._entries)

    def take(self, order_id: str | None, now: float) -> Fault | None:
        """The first fault that meets this request, which uses up one of its requests."""
        if not self._entries:
            return None
        self._entries = [entry for entry in self._entries if entry.lives(now)]
        for entry in self._entries:
            if entry.meets(order_id):
                if entry.requests_left is not None:
                    entry.requests_left -= 1
                return entry.fault
        return None
