"""The pace: how the rate limit is kept, for every process together.

The pace is one item, changed only by compare-and-set on its revision. Every change is a pure step
from one pace to the next; the process that takes a step writes the result and, if another process
was faster, reads again and repeats the step. Times are seconds since the epoch.

    pace         the item, and what follows from it
    hold         why and how long sending waits for the API
    reservation  what a shard process gets when it asks for turns
    turns        who gets which turn, and who owns a shard
    steps        how people and answers change it
    voiding      which turns are given back when it changes
    change       how a step is written
    limits       quotas and sending hours: when the next turn may be
    margin       how much more than the interval separates two turns
    doubt        how many orders the owner of a shard may have begun
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from ledger.pace.hold import Hold
from ledger.pace.limits import NO_LIMITS, NOTHING_USED, Limits, Room, Used, room_from
from ledger.pace.margin import Margin
from ledger.pace.reservation import Reserved
from orders.rate import HIGHEST_PER_SECOND, Rate, parse_rate

_parsed = lru_cache(maxsize=64)(parse_rate)  # it is asked many times for each turn

_HIGHEST = Rate(HIGHEST_PER_SECOND)

HOW_TO_SET_RATE = "set ORDERS_RATE or run `orders pace RATE`"
NO_RATE = f"no rate is set: {HOW_TO_SET_RATE}"

BATCH_SECONDS = 0.2
"""High rates reserve turns for at most this long at once."""
AHEAD_SECONDS = 0.5
"""How far ahead a process holds turns, so that an answer of the ledger may take this long."""
NOTICE_SECONDS = 1.0
"""Every process sees a change of the pace within this; until then it may start a turn it holds."""
GAP_SHARE = 0.993
GAP_SLACK = 0.001
"""No two starts are closer than this share of the spacing, so that lateness is made up little by
little. The promise is 99 % of the interval; the slack is for the time to send a request."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A person stopped sending; `until` None means until it is resumed."""

    by: str
    reason: str
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Override:
    """A rate that a person set over the configured one; `until` None: until it is removed."""

    rate: str
    by: str
    reason: str
    until: float | None


class BlockReason(StrEnum):
    """What a person must fix before sending continues; `orders resume` lifts each of them."""

    REFUSAL_BUDGET_SPENT = "refusal budget spent"
    LATER_RELEASE = "later release"
    ROW_MISSING = "ledger row missing"
    WRITE_REFUSED = "ledger refuses a write"


@dataclass(frozen=True, slots=True)
class Blocker:
    """Something that a person must fix before sending continues.

    reason: a BlockReason, or what a later release wrote.
    """

    reason: str
    detail: str
    since: float


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace item.

    configured: the rate of the settings, as text; None until a worker wrote it.
    next_free: when the next turn may be.
    reserved: the rows of turns that may not have started yet, and of each shard the newest one
    that has, for ACTIVE_SECONDS at least.
    epoch: grows when the rate changes or sending pauses; turns of an older epoch are void.
    generation: grows when a hold begins and when it ends.
    blockers: by name, what blocks sending; a name that begins with a shard id blocks that shard.
    owners: by shard id, the fence token of the process that may take turns for it.
    in_doubt: by shard id, how many orders its owner may have begun and not settled (`doubt`).
    set_aside: by `<upload>/<line>`, orders that a person wants refused, with that person's reason.
    resumed: how often a person lifted the blockers.
    margin: extra time between two turns, on top of the interval.
    throttled: how many 429s came in a row, without a hold so far.
    limits: quotas and sending hours, beside the rate. used: what is used of each quota.
    passed: the start of the attempt, of any shard, that last ended a hold or a row of 429s.
    orders_per_turn: how many orders one request holds, at most, as a worker last wrote it.
    batch_ends: by `<upload>/<lane>`, the ordinals after which a batch ended before it was full.
    """

    configured: str | None = None
    override: Override | None = None
    next_free: float = 0.0
    reserved: tuple[Reserved, ...] = ()
    epoch: int = 0
    generation: int = 0
    paused: Pause | None = None
    hold: Hold | None = None
    blockers: Mapping[str, Blocker] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    in_doubt: Mapping[str, int] = field(default_factory=dict)
    set_aside: Mapping[str, str] = field(default_factory=dict)
    resumed: int = 0
    revision: int = 0
    margin: Margin = field(default_factory=Margin)
    throttled: int = 0
    passed: float = 0.0
    orders_per_turn: int = 1
    batch_ends: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    limits: Limits = NO_LIMITS
    used: Used = NOTHING_USED

    def rate(self, now: float) -> Rate | None:
        """The rate in effect; None if nobody has set one.

        Beside a quota or sending hours turns are needed, so `none` is the highest rate there is.
        """
        override = self.override_at(now)
        text = override.rate if override else self.configured
        rate = _parsed(text) if text else None
        return _HIGHEST if rate and rate.per_second is None and self.limits.is_set else rate

    def target_per_second(self, now: float) -> float | None:
        """The orders a second of the rate in effect, where each turn carries as many as it may.

        None if it is `none` or nobody has set one.
        """
        rate = self.rate(now)
        return rate.per_second * self.orders_per_turn if rate and rate.per_second else None

    def override_at(self, now: float) -> Override | None:
        """The override in effect."""
        override = self.override
        return override if override and (override.until is None or now < override.until) else None

    def spacing_seconds(self, now: float) -> float:
        """How far apart two turns are now: the interval and the margin; 0 without a limit."""
        rate = self.rate(now)
        interval = rate.interval_seconds if rate else 0.0
        return interval + self.margin.at(now, interval)

    def room_from(self, moment: float) -> Room | None:
        """The first moment from this one on at which quotas and hours allow a turn.

        None: no such limit is set.
        """
        limits = self.limits
        return room_from(limits.parsed, self.used, moment) if limits.is_set else None

    def is_shared(self, token: str, now: float) -> bool:
        """Do processes of another machine than this token's take turns now?"""
        return any(row.is_active(now) and self.is_elsewhere(row, token) for row in self.reserved)

    def is_elsewhere(self, row: Reserved, token: str) -> bool:
        """Is this row held on another machine than this token's, as far as is known?"""
        owner = self.owners.get(row.shard, "")
        return owner != token and not is_same_machine(owner, machine_of(token))

    def pause_at(self, now: float) -> Pause | None:
        """The pause in effect."""
        pause = self.paused
        return pause if pause and (pause.until is None or now < pause.until) else None

    def blockers_of(self, shard: str) -> dict[str, Blocker]:
        """What blocks this shard: its own blockers and those of all shards."""
        return {
            n: b for n, b in self.blockers.items() if not is_shard_blocker(n) or n.startswith(shard)
        }


def machine_of(token: str) -> str:
    """The machine that a fence token names (`<machine>-<random>`), empty if it names none."""
    return token.rpartition("-")[0]


def is_same_machine(token: str, machine: str) -> bool:
    """Does a process on this machine hold the token? Such processes keep apart by themselves."""
    return bool(machine) and machine_of(token) == machine


def is_shard_blocker(name: str) -> bool:
    """Does a blocker of this name block only one shard? Kinesis names every shard this way."""
    return name.startswith("shardId-")
