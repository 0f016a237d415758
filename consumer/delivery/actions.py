"""What may the delivery ask its driver to do?

The delivery is a state machine without clock or socket: a driver (threads in the shard process, a
heap of events in a simulation) takes one action at a time, carries it out, and tells the result.
"""

from dataclasses import dataclass

from consumer.delivery.entries import Entry
from ledger.pace.hold import Failure
from ledger.pace.pace import Blocker
from ledger.uploads.dead_letter import DeadLetter
from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve up to `wanted` turns from the pace item; then call `reserved`.

    lead_seconds: how long the answer may take; a turn before that would come too late.
    jitter_seconds: by how much the API's answers vary; None: not known.
    begun: how many orders, from the first unsettled one on, may be begun before these turns.
    """

    wanted: int
    lead_seconds: float
    jitter_seconds: float | None
    begun: int


@dataclass(slots=True, eq=False)
class Send:
    """Ask `may_start`, make one attempt at `at`, call `sent`, then `ended`; else call `given_up`.

    entry: what to send, once it may start; until then an order before it may take its place.
    start: its turn, in seconds since the epoch; 0 where none is needed.
    at: when the attempt starts, once it may.
    """

    entry: Entry
    start: float
    epoch: int
    generation: int
    interval: float
    is_probe: bool
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Settle:
    """Keep the dead letters, settle the lane; then call `settled` or `settle_failed`.

    Where the settlement ends the lane, close the upload if it is drained before `settled`: the
    checkpoint follows, and after it the end marker never comes again. lane is None for records that
    belong to no lane: only their dead letters are kept.
    """

    lane: Lane | None
    settlement: Settlement
    letters: tuple[DeadLetter, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ReportFailure:
    """Take the step `pace.failed`; then call `pace_changed`."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """Take the step `pace.answered`; then call `pace_changed`."""

    generation: int
    started_at: float


@dataclass(frozen=True, slots=True)
class SetBlocker:
    """Take the step `pace.block`; then call `pace_changed`."""

    name: str
    blocker: Blocker


@dataclass(frozen=True, slots=True)
class ClearBlocker:
    """Take the step `pace.unblock`; then call `pace_changed`."""

    name: str


@dataclass(frozen=True, slots=True)
class ForgetSetAside:
    """Take the step `pace.was_set_aside`; then call `pace_changed`."""

    name: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """Read the pace item and which of these lanes' uploads are cancelled; then call `looked`."""

    lanes: tuple[LaneKey, ...]


PaceChange = ReportFailure | ReportAnswer | SetBlocker | ClearBlocker | ForgetSetAside
Action = Reserve | Send | Settle | PaceChange | Refresh
