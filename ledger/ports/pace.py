"""When may the next attempt start, for every process together?

The pace is one item, changed only by compare-and-set on its revision. Whatever changes it is a pure
step from one pace to the next; who takes a step writes the result and, where somebody was faster,
reads again and takes the step anew. Times are seconds since the epoch.

    pace            the item, and what is known of it
    pace_turns      who gets which turn, and who owns a shard
    pace_steps      what people and answers do to it
    pace_voiding    which turns are given back when it changes
    pace_change     how a step is written
    margin          how much more than the interval lies between two turns
    pace_doubt      which orders the owner of a shard may have begun
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from ledger.ports.margin import Margin
from orders.rate import Rate, parse_rate

_parsed = lru_cache(maxsize=64)(parse_rate)  # it is asked many times for each turn

BATCH_SECONDS = 0.2
"""High rates reserve at most this much of turns at once."""
AHEAD_SECONDS = 0.5
"""A process holds turns so far ahead that an answer of the ledger may take so long."""
NOTICE_SECONDS = 1.0
"""Every process sees a change of the pace within this; until then it may start a turn it holds."""
LATE_SECONDS = 1.0
"""A turn may start so much late where no other machine takes turns."""
GAP_SHARE = 0.993
GAP_SLACK = 0.001
"""No two starts are closer than this share of the spacing: so lateness is caught up, little by
little. Promised are 99 % of the interval; the slack is for what a request takes to be sent."""
ACTIVE_SECONDS = 5.0
"""A shard that had no turn for so long is idle: it is in nobody's way."""
HOLD_SECONDS_MAX = 3_600.0
"""What the API asks for beyond this is not believed."""


class HoldKind(StrEnum):
    """Why sending holds."""

    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"


# The last step repeats. Unavailable: a 10-minute outage costs some 125 requests and is over at most
# 5 s after the API is back. Unauthorized: a person must act, so probing is slow.
BACK_OFF_SECONDS: Mapping[HoldKind, tuple[float, ...]] = {
    HoldKind.UNAVAILABLE: (1.0, 2.0, 4.0, 5.0),
    HoldKind.THROTTLED: (1.0, 2.0, 4.0, 5.0),
    HoldKind.UNAUTHORIZED: (2.0, 5.0, 10.0, 20.0, 30.0),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that got no usable answer.

    generation: of the pace when it started. wait_seconds: what the API asked for, 0 where nothing;
    it only extends a hold, up to HOLD_SECONDS_MAX. started_at: when the attempt started.
    """

    kind: HoldKind
    generation: int
    why: str
    wait_seconds: float
    started_at: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The API is down, says wait, or takes no credential: one probe at a time, none before `until`.

    generation: which hold this is; results of attempts from before it change nothing.
    step: how many probes it granted. asked_until: no probe before, because the API said so.
    """

    kind: HoldKind
    generation: int
    since: float
    until: float
    step: int
    why: str
    asked_until: float = 0.0

    @property
    def is_bar(self) -> bool:
        """Must a person act? Without the right credential; probing notices when that is done."""
        return self.kind is HoldKind.UNAUTHORIZED


@dataclass(frozen=True, slots=True)
class Pause:
    """A person stopped sending; `until` None means until it is resumed."""

    by: str
    reason: str
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Override:
    """A rate set by a person over the configured one; `until` None means until it is taken back."""

    rate: str
    by: str
    reason: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that a person must put right before sending goes on."""

    reason: str
    detail: str
    since: float


@dataclass(frozen=True, slots=True)
class Reserved:
    """A row of turns that was handed out to a shard: `count` turns, `interval` seconds apart."""

    first: float
    count: int
    interval: float
    shard: str = ""

    @property
    def last(self) -> float:
        """The last turn of the row."""
        return self.first + (self.count - 1) * self.interval

    def is_active(self, now: float) -> bool:
        """Did its shard have a turn just now, or does it have one still?"""
        return self.last > now - ACTIVE_SECONDS

    def started_by(self, now: float) -> float | None:
        """The last turn of the row that is not in the future, None where all of them are."""
        if now < self.first:
            return None
        if not self.interval:
            return self.last
        started = min(int((now - self.first) / self.interval), self.count - 1)
        return self.first + started * self.interval


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace item.

    configured: the rate of the settings, as text; None until a worker wrote it.
    next_free: when the next turn may be.
    reserved: the rows of turns that may not have started yet, and of each shard the newest one
    that has, for ACTIVE_SECONDS at least.
    epoch: grows when the rate changes or sending pauses; turns of an older epoch are void.
    generation: grows when a hold begins and when it ends.
    bars: by name, what bars sending; names that begin with a shard id bar only that shard.
    owners: by shard id, the fence token of the process that may take turns for it.
    in_doubt: by shard id, how many orders its owner may have begun and not settled (pace_doubt).
    set_aside: by `<upload>/<line>`, orders that a person wants refused, with that person's reason.
    resumed: how often a person lifted the bars.
    margin: what lies between two turns beyond the interval.
    throttled: how many 429s came in a row, without a hold so far.
    passed: when the attempt started that last ended a hold or a row, whichever shard's it was.
    """

    configured: str | None = None
    override: Override | None = None
    next_free: float = 0.0
    reserved: tuple[Reserved, ...] = ()
    epoch: int = 0
    generation: int = 0
    paused: Pause | None = None
    hold: Hold | None = None
    bars: Mapping[str, Bar] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    in_doubt: Mapping[str, int] = field(default_factory=dict)
    set_aside: Mapping[str, str] = field(default_factory=dict)
    resumed: int = 0
    revision: int = 0
    margin: Margin = field(default_factory=Margin)
    throttled: int = 0
    passed: float = 0.0

    def rate(self, now: float) -> Rate | None:
        """The rate that holds now; None where nobody has set one."""
        override = self.override
        if override and (override.until is None or now < override.until):
            return _parsed(override.rate)
        return _parsed(self.configured) if self.configured else None

    def spacing_seconds(self, now: float) -> float:
        """How far apart two turns are now: the interval and the margin; 0 without a limit."""
        rate = self.rate(now)
        interval = rate.interval_seconds if rate else 0.0
        return interval + self.margin.at(now, interval)

    def is_shared(self, token: str, now: float) -> bool:
        """Do processes of another machine than this token's take turns now?"""
        return any(row.is_active(now) and self.is_elsewhere(row, token) for row in self.reserved)

    def is_elsewhere(self, row: Reserved, token: str) -> bool:
        """Is this row, as far as is known, held on another machine than this token's?"""
        owner = self.owners.get(row.shard, "")
        return owner != token and not is_same_machine(owner, machine_of(token))

    def pause_at(self, now: float) -> Pause | None:
        """The pause that holds now."""
        if self.paused and (self.paused.until is None or now < self.paused.until):
            return self.paused
        return None

    def bars_of(self, shard: str) -> dict[str, Bar]:
        """What bars this shard: its own bars and those of all."""
        if not self.bars:
            return {}
        return {n: b for n, b in self.bars.items() if not is_shard_bar(n) or n.startswith(shard)}


@dataclass(frozen=True, slots=True)
class Grant:
    """Turns handed out: absolute times, in order. A probe is one turn that tests a held API."""

    turns: tuple[float, ...]
    epoch: int
    generation: int
    is_probe: bool
    interval: float  # the spacing: a margin is part of it
    was_reset: bool = False  # `next_free` stood further ahead than can have been reserved
    skipped_seconds: float = 0.0  # the time before the first turn that nobody reserved


@dataclass(frozen=True, slots=True)
class Unlimited:
    """The rate is `none`: no turns are needed."""

    epoch: int
    generation: int


@dataclass(frozen=True, slots=True)
class Closed:
    """No turn now: paused, barred or without a rate. `until` None: until a person acts."""

    reason: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another process owns the shard now: stop."""


Reservation = Grant | Unlimited | Closed | Superseded


def machine_of(token: str) -> str:
    """The machine that a fence token names (`<machine>-<random>`), empty where it names none."""
    return token.rpartition("-")[0]


def is_same_machine(token: str, machine: str) -> bool:
    """Is this the token of a process on the machine, which keeps its distance by itself?"""
    return bool(machine) and machine_of(token) == machine


def is_shard_bar(name: str) -> bool:
    """Does a bar of this name hold for one shard only? Kinesis names every shard this way."""
    return name.startswith("shardId-")


class PaceStore(Protocol):
    """Where the pace is kept."""

    def read_pace(self) -> Pace:
        """The pace as it is now, by a consistent read; a fresh Pace where there is none."""

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """Write `new` (with the next revision) if the item still has `old`'s revision."""
