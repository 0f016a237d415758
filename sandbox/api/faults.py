"""Which fault, if any, does the API answer this request with?"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_DAY_SECONDS = 86_400


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # answered with this status at once
    HANG = "hang"  # never answered
    RESET = "reset"  # the connection is reset (TCP RST) instead of an answer
    SLOW = "slow"  # answered as usual, later
    DRIP = "drip"  # answered as usual, the body byte by byte


class Fault(BaseModel):
    """One way to misbehave, and for whom and how long: the body of POST /_sandbox/faults.

    `latency_seconds` is the time before the answer, for `drip` the pause before each byte of the
    body (by default 1). Without `for_seconds` and `for_requests` it stays; with both, the first to
    be used up ends it. Without `order_id` it applies to every request.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    kind: FaultKind
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: Annotated[str, Field(max_length=100, pattern=r"^[ -~]+$")] | None = None
    latency_seconds: Annotated[float, Field(ge=0, le=_DAY_SECONDS)] | None = None
    for_seconds: Annotated[float, Field(gt=0, le=_DAY_SECONDS)] | None = None
    for_requests: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    order_id: Annotated[str, Field(min_length=1, max_length=1_024)] | None = None

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if (self.kind is FaultKind.STATUS) != (self.status is not None):
            raise ValueError("status goes with kind status, and only with it")
        if self.retry_after is not None and self.kind is not FaultKind.STATUS:
            raise ValueError("retry_after goes with kind status only")
        if self.kind is FaultKind.SLOW and not self.latency_seconds:
            raise ValueError("kind slow needs latency_seconds above 0")
        return self


@dataclass(slots=True)
class _Entry:
    fault: Fault
    ends_at: float | None
    requests_left: int | None

    def is_live(self, now: float) -> bool:
        return (self.ends_at is None or now < self.ends_at) and self.requests_left != 0

    def matches(self, order_id: str | None) -> bool:
        return self.fault.order_id is None or self.fault.order_id == order_id


@dataclass(slots=True)
class FaultBook:
    """The faults in the order they were added; times are seconds of one monotonic clock."""

    _entries: list[_Entry] = field(default_factory=list)

    def add(self, fault: Fault, now: float) -> None:
        """Add a fault behind the others; its `for_seconds` start now."""
        ends_at = None if fault.for_seconds is None else now + fault.for_seconds
        self._entries.append(_Entry(fault, ends_at, fault.for_requests))

    def clear(self) -> None:
        """Forget every fault."""
        self._entries.clear()

    def count(self, now: float) -> int:
        """How many faults are not used up."""
        return sum(entry.is_live(now) for entry in self._entries)

    def take(self, order_id: str | None, now: float) -> Fault | None:
        """The first fault that matches this request, which uses up one of its requests."""
        self._entries = [entry for entry in self._entries if entry.is_live(now)]
        for entry in self._entries:
            if entry.matches(order_id):
                if entry.requests_left is not None:
                    entry.requests_left -= 1
                return entry.fault
        return None
