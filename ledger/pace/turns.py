"""Turns (time slots) and the owners of shards.

Pure steps from one pace to the next, like everything that changes the pace. Processes of one
machine keep apart by themselves, however late one of them starts. Across machines a start must not
be late, or must leave room: a process that starts sending, or resumes after a while, leaves it.
"""

from dataclasses import replace

from ledger.pace.doubt import inherited
from ledger.pace.hold import HOLD_SECONDS_MAX, LONGEST_BACK_OFF_SECONDS, Hold, back_off
from ledger.pace.limits import Room, Used, fitting
from ledger.pace.pace import (
    AHEAD_SECONDS,
    BATCH_SECONDS,
    GAP_SHARE,
    NO_RATE,
    NOTICE_SECONDS,
    Pace,
    is_same_machine,
    machine_of,
)
from ledger.pace.reservation import Closed, Grant, Reservation, Reserved, Superseded, Unlimited
from ledger.pace.voiding import latest_start, void_turns, without_row
from orders.rate import parse_rate


def reserve(  # noqa: PLR0913 - all of it named
    pace: Pace,
    *,
    shard: str,
    token: str,
    wanted: int,
    now: float,
    lead_seconds: float = 0.0,
    jitter_seconds: float | None = None,
) -> tuple[Pace, Reservation]:
    """Hand out up to `wanted` turns (at most BATCH_SECONDS of them, at least one).

    The first one is at least `lead_seconds` away, because the ledger's answer may take that long.
    `jitter_seconds` is how much the API's answers vary, None if that is not known.

    Turns form a fixed grid while orders wait, so lateness does not add up; a turn that was not
    taken in time is lost, never made up by a burst.
    """
    if pace.owners.get(shard) != token:
        return pace, Superseded()
    closed = why_closed(pace, shard, now)
    if closed:
        return pace, closed
    rate = pace.rate(now)
    if rate is None:
        return pace, Closed(NO_RATE, None)
    pace = lapsed(pace, now)
    margin = pace.margin.narrowed(jitter_seconds, rate.interval_seconds, now=now)
    if margin is not pace.margin:
        pace = replace(pace, margin=margin)
    interval = pace.spacing_seconds(now)
    pace, was_reset = _believable(pace, interval, now)
    if not pace.hold and not rate.per_second:
        return pace, Unlimited(pace.epoch, pace.generation)
    earliest = max(pace.next_free, now + lead_seconds)
    earliest = max(earliest, pace.hold.until if pace.hold else clear_of_others(pace, shard, now))
    room = pace.room_from(earliest)
    shut = shut_until(room, earliest, now)
    if shut:
        return pace, shut
    first = room.start if room else earliest
    if pace.hold:
        row, pushed = _probe(pace.hold, first, shard, interval=interval)
        reserved, skipped_seconds = replace(pace, hold=pushed), 0.0
    else:
        count = max(1, min(wanted, int(BATCH_SECONDS / interval)))
        if room:
            count = fitting(room, count, interval)
        row = Reserved(first, count, interval, shard)
        opened = pace.room_from(pace.next_free) if first > pace.next_free else None
        reserved, skipped_seconds = pace, first - (opened.start if opened else pace.next_free)
    used = reserved.used
    if room:
        limits = pace.limits.parsed
        used = used.since(limits, now).with_turns(limits, first, row.count)
    return _with_row(reserved, row, used, now), Grant(
        tuple(row.first + i * interval for i in range(row.count)),
        pace.epoch,
        pace.generation,
        is_probe=bool(pace.hold),
        interval=interval,
        was_reset=was_reset,
        skipped_seconds=skipped_seconds,
    )


def why_closed(pace: Pace, shard: str, now: float) -> Closed | None:
    """Why this shard gets no turn now; None if it may have one."""
    blockers = pace.blockers_of(shard)
    if blockers:
        blocker = next(iter(blockers.values()))
        return Closed(f"{blocker.reason}: {blocker.detail}", None)
    pause = pace.pause_at(now)
    return Closed(f"paused by {pause.by}: {pause.reason}", pause.until) if pause else None


def lapsed(pace: Pace, now: float) -> Pace:
    """The pace without an override that ended by itself, as if a person had removed it."""
    value = pace.override
    if value is None or pace.override_at(now):
        return pace
    configured = replace(pace, override=None)
    rate = configured.rate(now)
    if rate is None or rate == parse_rate(value.rate):
        return configured
    return void_turns(configured, now, rate.interval_seconds)


def shut_until(room: Room | None, earliest: float, now: float) -> Closed | None:
    """That quotas or hours allow no turn soon; None if they do."""
    if room is None or room.why is None or room.start <= max(earliest, now + AHEAD_SECONDS):
        return None
    return Closed(room.why, room.start)


def shut_now(pace: Pace, now: float) -> Room | None:
    """When quotas and hours allow the next turn, where they allow none for a while; else None.

    The end of a second or of an interval is no standstill.
    """
    room = pace.room_from(now)
    if room is None or room.start <= now + AHEAD_SECONDS + pace.spacing_seconds(now):
        return None
    return room


def _believable(pace: Pace, interval: float, now: float) -> tuple[Pace, bool]:
    """The pace, reset if `next_free` or a hold is further ahead than it can be.

    That means that a clock was wrong. Then every turn that has not started is void, because one of
    them may coincide with the next. True: it was reset.
    """
    processes = len(pace.owners) + 1
    most_ahead = max(2 * interval, AHEAD_SECONDS + BATCH_SECONDS)
    latest, limit = pace.next_free, now + 1.0 + processes * most_ahead
    if pace.hold:
        latest = max(latest, pace.hold.until)
        limit += HOLD_SECONDS_MAX + processes * LONGEST_BACK_OFF_SECONDS
    if latest <= limit:
        return pace, False
    hold = pace.hold
    if hold:  # what the API asked for stays, unless that cannot be either
        is_asked = now < hold.asked_until <= now + HOLD_SECONDS_MAX
        hold = replace(hold, until=hold.asked_until if is_asked else now)
    return replace(void_turns(pace, now, interval), next_free=now + interval, hold=hold), True


def _probe(hold: Hold, start: float, shard: str, *, interval: float) -> tuple[Reserved, Hold]:
    """Exactly one attempt, and the hold pushed by the back-off: one probe for the fleet."""
    wait_seconds = max(back_off(hold.kind, hold.step + 1), interval)
    pushed = replace(hold, until=start + wait_seconds, step=hold.step + 1)
    return Reserved(start, 1, interval, shard), pushed


def _with_row(pace: Pace, row: Reserved, used: Used, now: float) -> Pace:
    rows = sorted((*pace.reserved, row), key=lambda r: r.first)
    future = [r for r in rows if r.last > now]
    started = {r.shard: r for r in rows if r.last <= now}  # the newest of each shard
    newest = max(started.values(), key=lambda r: r.first, default=None)
    kept = [r for r in started.values() if r is newest or r.is_active(now)]
    next_free = row.last + row.interval
    return replace(pace, next_free=next_free, reserved=(*kept, *future), used=used)


def own(pace: Pace, shard: str, token: str, *, now: float) -> Pace:
    """Make this token the shard's only one: the previous owner gets no more turns.

    The previous owner's turns that have not started are given back, unless a turn of another shard
    follows them or they may start before it notices. The next turn keeps its distance from the
    latest moment at which the previous owner may have started, unless it is on the same machine.
    """
    pace = inherited(pace, shard, now=now)
    blockers = {n: b for n, b in pace.blockers.items() if not n.startswith(shard)}
    interval = pace.spacing_seconds(now)
    latest = max((latest_start(r, now) for r in pace.reserved if r.shard == shard), default=0.0)
    is_moved = not is_same_machine(pace.owners.get(shard, ""), machine_of(token))
    if set(pace.owners) <= {shard}:
        pace = void_turns(pace, now, interval)
    else:
        pace = _without_turns_of(pace, shard, now)
    if is_moved and latest:
        pace = replace(pace, next_free=max(pace.next_free, latest + GAP_SHARE * interval))
    return replace(pace, owners={**pace.owners, shard: token}, blockers=blockers)


def disown(pace: Pace, shard: str, token: str) -> Pace:
    """Give up the shard, if this token still owns it."""
    if pace.owners.get(shard) != token:
        return pace
    owners = {s: t for s, t in pace.owners.items() if s != shard}
    return replace(
        pace, owners=owners, in_doubt={s: n for s, n in pace.in_doubt.items() if s != shard}
    )


def clear_of_others(pace: Pace, shard: str, now: float) -> float:
    """When a shard that had no turn for a while may take the next one; 0 for one that had.

    Until other machines notice it, they assume that a late start disturbs nobody.
    """
    token = pace.owners.get(shard, "")
    if any(row.shard == shard and row.is_active(now) for row in pace.reserved):
        return 0.0
    others = [row for row in pace.reserved if row.is_active(now) and pace.is_elsewhere(row, token)]
    latest = max((latest_start(row, now) for row in others), default=0.0)
    return latest + GAP_SHARE * pace.spacing_seconds(now) if latest else 0.0


def _without_turns_of(pace: Pace, shard: str, now: float) -> Pace:
    """The pace without the newest rows, as far as they are this shard's and can be voided.

    So a process that keeps dying while sending holds does not extend the hold by a probe each
    time.
    """
    rows = list(pace.reserved)
    while rows and rows[-1].shard == shard and rows[-1].first > now + NOTICE_SECONDS:
        freed = rows.pop()
        pace = without_row(pace, freed, now)
        hold = pace.hold
        if hold:
            hold = replace(hold, until=max(freed.first, hold.asked_until), step=hold.step - 1)
        pace = replace(pace, next_free=freed.first, reserved=tuple(rows), hold=hold)
    return pace
