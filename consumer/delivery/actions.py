"""What the delivery asks its driver to do, and how the driver answers.

The delivery is a state machine without clock or socket: a driver (threads in the shard process, a
heap of events in a simulation) takes one action at a time and carries it out. The result of a
ledger call goes to `Delivery.ended`; a Send is passed on to the dispatcher.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from consumer.delivery.entries import Entry
from consumer.delivery.turn import Turn
from ledger.errors import LedgerError
from ledger.pace.pace import Pace
from ledger.pace.reservation import Reservation, Unused
from ledger.uploads.dead_letter import DeadLetter
from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.settlement import Settlement

PaceStep = Callable[[Pace, float], Pace]
"""The pace after a change made at this time."""


@dataclass(slots=True, eq=False)
class Send:
    """Ask the dispatcher's `may_start`; then make one attempt at `at`, and tell how it ended.

    Call `sent` once the request is on its way, then `ended`; or `given_up` if it may not start.

    entry: what to send, once it may start; until then an earlier order may take its place.
    at: when the attempt starts, once it may.
    """

    entry: Entry
    turn: Turn
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve up to `wanted` turns from the pace item.

    lead_seconds: how long the answer may take; a turn before that would come too late.
    jitter_seconds: by how much the API's answers vary; None: not known.
    begun: how many orders, from the first unsettled one on, may be begun before these turns.
    unused: earlier turns that passed without an attempt, which quotas need not count.
    """

    wanted: int
    lead_seconds: float
    jitter_seconds: float | None
    begun: int
    unused: tuple[Unused, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """Store the dead letters, then settle the lane.

    Where the settlement ends the lane, the upload is closed if it is drained before the result is
    told: the checkpoint follows, and after it the end marker never comes again. lane is None for
    records that belong to no lane: only their dead letters are stored.
    """

    lane: Lane | None
    settlement: Settlement
    letters: tuple[DeadLetter, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ChangePace:
    """Take this step from the pace as it is stored."""

    step: PaceStep


@dataclass(frozen=True, slots=True)
class Refresh:
    """Read the pace item, and which of these lanes' uploads are cancelled."""

    lanes: tuple[LaneKey, ...]


LedgerAction = Reserve | Settle | ChangePace | Refresh
Action = Send | LedgerAction


@dataclass(frozen=True, slots=True)
class TurnsReserved:
    """A Reserve ended; `pace` is the item after it."""

    reservation: Reservation
    pace: Pace


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A Refresh ended; `cancelled` are those lanes whose upload is cancelled."""

    pace: Pace
    cancelled: Collection[LaneKey]


LedgerResult = TurnsReserved | Refreshed | Pace | Lane | None | LedgerError
"""What a ledger call returned: a ChangePace the new Pace, a Settle the Lane (or None) after it."""
