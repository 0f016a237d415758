"""The events that the delivery reports to its observer."""

from collections.abc import Callable
from dataclasses import dataclass

from ledger.uploads.lane import LaneKey


@dataclass(frozen=True, slots=True)
class Attempted:
    """An attempt ended. `result` is the attempt's class name in lower case.

    gap_seconds: from the start of this process's attempt before it, None for its first.
    """

    result: str
    latency_seconds: float
    gap_seconds: float | None


@dataclass(frozen=True, slots=True)
class RepeatsSkipped:
    """Records of orders that were settled or taken before."""

    count: int


@dataclass(frozen=True, slots=True)
class OrdersMissing:
    """A gap in a lane: orders that were enqueued and never came."""

    key: LaneKey
    count: int


@dataclass(frozen=True, slots=True)
class TurnsWasted:
    """Turns that passed unused while an order waited and nothing blocked sending."""

    count: float


@dataclass(frozen=True, slots=True)
class WindowSized:
    """The window as it now is, in orders."""

    orders: int


@dataclass(frozen=True, slots=True)
class HeldFor:
    """Sending stood still for this reason (a hold's kind, `paused` or `blocked`)."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LedgerFailed:
    """A call of the ledger failed and will be made again."""

    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class WaitCapped:
    """The API asked for a longer wait than is believed, or the pace had to be reset."""

    reason: str


Event = (
    Attempted
    | RepeatsSkipped
    | OrdersMissing
    | TurnsWasted
    | WindowSized
    | HeldFor
    | LedgerFailed
    | WaitCapped
)
Observer = Callable[[Event], None]
