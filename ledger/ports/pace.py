"""When may the next attempt start, for every process together?

The pace is one item, changed only by compare-and-set on its revision. Everything here is a pure
step from one pace to the next; who takes a step writes the result and, where somebody was faster,
reads again and takes the step anew. Times are seconds since the epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from orders.rate import Rate, parse_rate

_parsed = lru_cache(maxsize=64)(parse_rate)  # it is asked many times for each turn

BATCH_SECONDS = 0.2
"""High rates reserve at most this much of turns at once."""
NOTICE_SECONDS = 1.0
"""Every process sees a change of the pace within this; until then it may start a turn it holds."""
LATE_SECONDS = 1.0
"""A turn of a process that alone takes turns may start so much late, and less than its interval."""
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
    reserved: the rows of turns that may not have started yet, and the newest one that has.
    epoch: grows when the rate changes or sending pauses; turns of an older epoch are void.
    generation: grows when a hold begins and when it ends.
    bars: by name, what bars sending; names that begin with a shard id bar only that shard.
    owners: by shard id, the fence token of the process that may take turns for it.
    set_aside: by `<upload>/<line>`, orders that a person wants refused, with that person's reason.
    resumed: how often a person lifted the bars.
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
    set_aside: Mapping[str, str] = field(default_factory=dict)
    resumed: int = 0
    revision: int = 0

    def rate(self, now: float) -> Rate | None:
        """The rate that holds now; None where nobody has set one."""
        override = self.override
        if override and (override.until is None or now < override.until):
            return _parsed(override.rate)
        return _parsed(self.configured) if self.configured else None

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
    interval: float
    was_reset: bool = False  # `next_free` stood further ahead than can have been reserved


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


def is_shard_bar(name: str) -> bool:
    """Does a bar of this name hold for one shard only? Kinesis names every shard this way."""
    return name.startswith("shardId-")


def reserve(
    pace: Pace, *, shard: str, token: str, wanted: int, now: float
) -> tuple[Pace, Reservation]:
    """Hand out up to `wanted` turns (at most BATCH_SECONDS of them, at least one).

    Turns lie on a fixed grid as long as orders wait, so lateness does not add up; a turn that was
    not taken in time is lost, never sent as a burst.
    """
    if pace.owners.get(shard) != token:
        return pace, Superseded()
    closed = is_closed(pace, shard, now)
    if closed:
        return pace, closed
    rate = pace.rate(now)
    if rate is None:
        return pace, Closed("no rate is set: set ORDERS_RATE or run `orders pace RATE`", None)
    interval = rate.interval_seconds
    pace, was_reset = _believable(lapsed(pace, now), interval, now)
    if pace.hold:
        row, pushed = _probe(pace, pace.hold, interval=interval, now=now)
        granted = _with_row(replace(pace, hold=pushed), replace(row, shard=shard), now)
        return granted, Grant(
            (row.first,),
            pace.epoch,
            pace.generation,
            is_probe=True,
            interval=interval,
            was_reset=was_reset,
        )
    if not rate.per_second:
        return pace, Unlimited(pace.epoch, pace.generation)
    count = max(1, min(wanted, int(BATCH_SECONDS * rate.per_second)))
    row = Reserved(max(pace.next_free, now), count, interval, shard)
    turns = tuple(row.first + i * interval for i in range(count))
    return _with_row(pace, row, now), Grant(
        turns, pace.epoch, pace.generation, is_probe=False, interval=interval, was_reset=was_reset
    )


def is_closed(pace: Pace, shard: str, now: float) -> Closed | None:
    """Why this shard gets no turn now, None where it may have one."""
    bars = pace.bars_of(shard)
    if bars:
        bar = next(iter(bars.values()))
        return Closed(f"{bar.reason}: {bar.detail}", None)
    pause = pace.pause_at(now)
    return Closed(f"paused by {pause.by}: {pause.reason}", pause.until) if pause else None


def lapsed(pace: Pace, now: float) -> Pace:
    """The pace without an override that ended by itself, as if a person had taken it back."""
    value = pace.override
    if value is None or value.until is None or now < value.until:
        return pace
    configured = replace(pace, override=None)
    rate = configured.rate(now)
    if rate is None or rate == parse_rate(value.rate):
        return configured
    return _void_turns(configured, now, rate.interval_seconds)


def _believable(pace: Pace, interval: float, now: float) -> tuple[Pace, bool]:
    """The pace, reset where `next_free` or a hold stands further ahead than can be.

    That means that a clock was wrong. Then every turn that has not started is void, because one of
    them may lie where the next will be. True: it was reset.
    """
    processes = len(pace.owners) + 1
    latest, limit = pace.next_free, now + 1.0 + processes * max(interval, BATCH_SECONDS)
    if pace.hold:
        latest = max(latest, pace.hold.until)
        limit += HOLD_SECONDS_MAX + processes * max(BACK_OFF_SECONDS[HoldKind.UNAUTHORIZED])
    if latest <= limit:
        return pace, False
    hold = replace(pace.hold, until=now) if pace.hold else None
    return replace(_void_turns(pace, now, interval), next_free=now + interval, hold=hold), True


def _probe(pace: Pace, hold: Hold, *, interval: float, now: float) -> tuple[Reserved, Hold]:
    """Exactly one attempt, and the hold pushed by the back-off: one probe for the fleet."""
    start = max(pace.next_free, hold.until, now)
    wait_seconds = max(_back_off(hold.kind, hold.step + 1), interval)
    pushed = replace(hold, until=start + wait_seconds, step=hold.step + 1)
    return Reserved(start, 1, interval), pushed


def _with_row(pace: Pace, row: Reserved, now: float) -> Pace:
    rows = sorted((*pace.reserved, row), key=lambda r: r.first)
    future = [r for r in rows if r.last > now]
    started = [r for r in rows if r.last <= now]
    return replace(pace, next_free=row.last + row.interval, reserved=(*started[-1:], *future))


def _last_start(pace: Pace, now: float) -> Reserved | None:
    """The last turn that may start before its holder has seen a change, as a row of its own."""
    rows = [
        Reserved(start, 1, row.interval, row.shard)
        for row in pace.reserved
        if (start := row.started_by(now + NOTICE_SECONDS)) is not None
    ]
    return max(rows, key=lambda row: row.first, default=None)


def _void_turns(pace: Pace, now: float, interval: float) -> Pace:
    """Void the turns that have not started: their holders see the epoch and reserve again.

    Probes among them are given back, so that the hold does not grow with every change. The next
    turn follows the last one that may start all the same, by the shorter one of its own interval
    and the new one, so that a change there and back, in between of two turns, gives none away.
    """
    last = _last_start(pace, now)
    kept = (last,) if last else ()
    voided = replace(pace, epoch=pace.epoch + 1, reserved=kept, hold=_without_probes(pace, now))
    if last is None:
        return voided
    return replace(voided, next_free=last.first + min(last.interval, interval))


def _probes(pace: Pace, now: float) -> list[float]:
    """The probes of the hold that can still be made void; it began later than any other turn."""
    return [row.first for row in pace.reserved if row.first > now + NOTICE_SECONDS]


def _without_probes(pace: Pace, now: float) -> Hold | None:
    """The hold without the probes that can still be made void: it waits anew, as before them."""
    hold, probes = pace.hold, _probes(pace, now)
    if hold is None or not probes:
        return hold
    step = hold.step - len(probes)
    soon = min(*probes, now + _back_off(hold.kind, step))
    return replace(hold, until=max(soon, hold.asked_until), step=step)


def _back_off(kind: HoldKind, step: int) -> float:
    steps = BACK_OFF_SECONDS[kind]
    return steps[min(max(step, 0), len(steps) - 1)]


def _revise_rate(old: Pace, new: Pace, now: float) -> Pace:
    if old.rate(now) == new.rate(now):
        return new
    rate = new.rate(now)
    return _void_turns(new, now, rate.interval_seconds if rate else 0.0)


def configure(pace: Pace, rate: str, *, now: float) -> Pace:
    """Set the configured rate when its value changed; an override stays."""
    if pace.configured == rate:
        return pace
    return _revise_rate(pace, replace(pace, configured=rate), now)


def override(pace: Pace, value: Override | None, *, now: float) -> Pace:
    """Set the rate over the configured one, or take that back with None."""
    return _revise_rate(pace, replace(pace, override=value), now)


def pause(pace: Pace, value: Pause) -> Pace:
    """Stop sending; turns that have not started are void."""
    rate = pace.rate(value.since)
    paused = replace(pace, paused=value)
    return _void_turns(paused, value.since, rate.interval_seconds if rate else 0.0)


def resume(pace: Pace) -> Pace:
    """End a pause, lift every bar, and let the refusal budget start anew."""
    return replace(pace, paused=None, bars={}, resumed=pace.resumed + 1)


def bar(pace: Pace, name: str, value: Bar) -> Pace:
    """Bar sending until a person acts. An equal bar keeps the time it was first set."""
    standing = pace.bars.get(name)
    if standing and (standing.reason, standing.detail) == (value.reason, value.detail):
        return pace
    return replace(pace, bars={**pace.bars, name: value})


def lift(pace: Pace, name: str) -> Pace:
    """Take one bar away: what caused it is gone."""
    if name not in pace.bars:
        return pace
    return replace(pace, bars={n: b for n, b in pace.bars.items() if n != name})


def set_aside(pace: Pace, name: str, reason: str) -> Pace:
    """Ask for one order (`<upload>/<line>`) to be refused by hand."""
    return replace(pace, set_aside={**pace.set_aside, name: reason})


def was_set_aside(pace: Pace, name: str) -> Pace:
    """The order that was to be set aside is settled."""
    if name not in pace.set_aside:
        return pace
    return replace(pace, set_aside={n: r for n, r in pace.set_aside.items() if n != name})


def own(pace: Pace, shard: str, token: str, *, now: float) -> Pace:
    """Make this token the shard's only one: whoever held it before gets no turn any more.

    Its turns that have not started are given back, as far as no turn of another shard follows them,
    and but for those that it may start until it notices.
    """
    bars = {n: b for n, b in pace.bars.items() if not n.startswith(shard)}
    rate = pace.rate(now)
    if rate is not None and set(pace.owners) <= {shard}:
        interval = rate.interval_seconds
        latest_start = _latest_start(pace, now)
        pace = _void_turns(pace, now, interval)
        pace = replace(pace, next_free=max(pace.next_free, latest_start + interval))
    elif rate is not None:
        pace = _without_turns_of(pace, shard, now)
    return replace(pace, owners={**pace.owners, shard: token}, bars=bars)


def _without_turns_of(pace: Pace, shard: str, now: float) -> Pace:
    """The pace without the newest rows, as far as they are this shard's and can be made void.

    So a process that dies again and again while sending holds does not put the end off with the
    probe of each life.
    """
    rows = list(pace.reserved)
    while rows and rows[-1].shard == shard and rows[-1].first > now + NOTICE_SECONDS:
        freed = rows.pop()
        hold = pace.hold
        if hold:
            hold = replace(hold, until=max(freed.first, hold.asked_until), step=hold.step - 1)
        pace = replace(pace, next_free=freed.first, reserved=tuple(rows), hold=hold)
    return pace


def _latest_start(pace: Pace, now: float) -> float:
    """Until when the last turn may start late whose holder has not noticed; 0: it has started."""
    last = _last_start(pace, now)
    if last is None:
        return 0.0
    latest = min(last.first + min(last.interval, LATE_SECONDS), now + NOTICE_SECONDS)
    return latest if latest > now else 0.0


def disown(pace: Pace, shard: str, token: str) -> Pace:
    """Give the shard up, if this token still holds it."""
    if pace.owners.get(shard) != token:
        return pace
    return replace(pace, owners={s: t for s, t in pace.owners.items() if s != shard})


def answered(pace: Pace, generation: int, *, now: float) -> Pace:
    """The API took an attempt of this generation: a hold of it ends, and so does its next probe."""
    if not pace.hold or pace.hold.generation != generation:
        return pace
    rate = pace.rate(now)
    freed = _void_turns(pace, now, rate.interval_seconds if rate else 0.0)
    return replace(freed, hold=None, generation=pace.generation + 1, epoch=pace.epoch)


def failed(  # noqa: PLR0913 - a report of one failure, all of it named
    pace: Pace, kind: HoldKind, *, generation: int, why: str, wait_seconds: float, now: float
) -> Pace:
    """An attempt of this generation failed: begin a hold, or extend the one that it probed.

    wait_seconds: what the API asked for, 0 where nothing; it only extends, up to
    HOLD_SECONDS_MAX. Results of an older generation change nothing.
    """
    asked_until = now + min(wait_seconds, HOLD_SECONDS_MAX)
    if pace.generation != generation:
        return pace
    rate = pace.rate(now)
    interval = rate.interval_seconds if rate else 0.0
    if pace.hold is None:
        until = max(now + _back_off(kind, 0), asked_until)
        hold = Hold(kind, generation + 1, now, until, step=0, why=why, asked_until=asked_until)
        freed = _void_turns(pace, now, interval)  # by the generation: the epoch may stay
        return replace(freed, hold=hold, generation=generation + 1, epoch=pace.epoch)
    asked_until = max(pace.hold.asked_until, asked_until)
    told = replace(pace.hold, kind=kind, why=why, asked_until=asked_until)
    pace = replace(pace, hold=told)
    if min(_probes(pace, now), default=asked_until) < asked_until:
        return _void_turns(pace, now, interval)
    return replace(pace, hold=replace(told, until=max(told.until, asked_until)))


class PaceStore(Protocol):
    """Where the pace is kept."""

    def read_pace(self) -> Pace:
        """The pace as it is now, by a consistent read; a fresh Pace where there is none."""

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """Write `new` (with the next revision) if the item still has `old`'s revision."""
