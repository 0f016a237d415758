"""Which turns are given back when the pace changes.

Pure steps from one pace to the next, like everything that changes the pace.
"""

from collections.abc import Iterable
from dataclasses import replace

from ledger.pace.hold import Hold, back_off
from ledger.pace.pace import NOTICE_SECONDS, Pace
from ledger.pace.reservation import LATE_SECONDS, Reserved, Unused


def void_turns(pace: Pace, now: float, interval: float) -> Pace:
    """Void the turns that have not started: their holders see the epoch and reserve again.

    Probes among them are given back, so that the hold does not grow with every change. The next
    turn follows the last one that may still start, by the shorter of its own interval and the new
    one, so that a change back and forth between two turns wastes none.
    """
    pace = _with_counts_back(pace, pace.reserved, now)
    last = last_start(pace, now)
    kept = (last,) if last else ()
    voided = replace(pace, epoch=pace.epoch + 1, reserved=kept, hold=_without_probes(pace, now))
    if last is None:
        return voided
    return replace(voided, next_free=last.first + min(last.interval, interval))


def without_row(pace: Pace, row: Reserved, now: float) -> Pace:
    """The pace without this row of turns, none of which can have started."""
    pace = _with_counts_back(pace, (row,), now)
    return replace(pace, reserved=tuple(r for r in pace.reserved if r is not row))


def give_back(pace: Pace, turns: Iterable[Unused]) -> Pace:
    """The pace with what its quotas counted for turns that passed unused.

    Not where it has changed since they were granted: they may have been given back, or may not be
    counted in what its quotas are now.
    """
    if not pace.limits.is_set:
        return pace
    limits, used, now = pace.limits.parsed, pace.used, (pace.epoch, pace.generation)
    for turn in turns:
        if (turn.epoch, turn.generation) == now:
            used = used.with_turns(limits, turn.start, -1)
    return pace if used == pace.used else replace(pace, used=used)


def _with_counts_back(pace: Pace, rows: tuple[Reserved, ...], now: float) -> Pace:
    """The pace with what its quotas counted for turns that can still be voided."""
    if not pace.limits.is_set:
        return pace
    limits, used = pace.limits.parsed, pace.used
    for row in rows:
        started = row.started_by(now + NOTICE_SECONDS)
        if started is None:
            voided = row.count
        elif row.interval:
            voided = row.count - 1 - round((started - row.first) / row.interval)
        else:
            voided = 0
        if voided:  # all of a row counts in the same windows
            used = used.with_turns(limits, row.first, -voided)
    return replace(pace, used=used)


def last_start(pace: Pace, now: float) -> Reserved | None:
    """The last turn that may start before its holder sees a change, as a row of its own."""
    rows = [
        Reserved(start, 1, row.interval, row.shard)
        for row in pace.reserved
        if (start := row.started_by(now + NOTICE_SECONDS)) is not None
    ]
    return max(rows, key=lambda row: row.first, default=None)


def latest_start(row: Reserved, now: float) -> float:
    """The latest moment at which the row's holder may start, or have started; 0 if never.

    It may be late by LATE_SECONDS, and sees a change within NOTICE_SECONDS.
    """
    start = row.started_by(now + NOTICE_SECONDS)
    return 0.0 if start is None else min(start + LATE_SECONDS, now + NOTICE_SECONDS)


def waiting_probes(pace: Pace, now: float) -> list[float]:
    """The probes that can still be voided: a hold begins later than any other turn."""
    return [row.first for row in pace.reserved if row.first > now + NOTICE_SECONDS]


def _without_probes(pace: Pace, now: float) -> Hold | None:
    """The hold without the probes that can still be voided: it waits again as before them."""
    hold, probes = pace.hold, waiting_probes(pace, now)
    if hold is None or not probes:
        return hold
    step = hold.step - len(probes)
    soon = min(*probes, now + back_off(hold.kind, step))
    return replace(hold, until=max(soon, hold.asked_until), step=step)
