"""How people and the answers of the API change the pace.

Pure steps from one pace to the next; `change` writes the result by compare-and-set.
"""

from dataclasses import replace

from ledger.pace.doubt import without_doubts
from ledger.pace.hold import HOLD_SECONDS_MAX, Failure, Hold, HoldKind, back_off
from ledger.pace.limits import Limits, moved
from ledger.pace.pace import NOTICE_SECONDS, Blocker, Override, Pace, Pause
from ledger.pace.turns import lapsed
from ledger.pace.voiding import void_turns, waiting_probes
from orders.rate import NO_LIMIT

THROTTLED_ROW = 3
"""This many 429s in a row, with nothing accepted in between, make sending hold."""


def _revise_rate(old: Pace, new: Pace, now: float) -> Pace:
    before, rate = old.rate(now), new.rate(now)
    if before == rate:
        return new
    intervals = (r.interval_seconds if r else 0.0 for r in (before, rate))
    new = replace(new, margin=new.margin.at_other_interval(*intervals, now=now))
    if NO_LIMIT in {before, rate}:
        new = without_doubts(new)
    revised = void_turns(new, now, new.spacing_seconds(now))
    if before is None or before.per_second is not None or rate is None or rate.per_second is None:
        return revised
    # Without a limit nobody reserves: any process may send until it notices.
    first = now + NOTICE_SECONDS + rate.interval_seconds
    return replace(revised, next_free=max(revised.next_free, first))


def configure(pace: Pace, rate: str, *, now: float) -> Pace:
    """Set the configured rate if its value changed; an override stays."""
    if pace.configured == rate:
        return pace
    pace = lapsed(pace, now)
    return _revise_rate(pace, replace(pace, configured=rate), now)


def carry(pace: Pace, orders_per_turn: int) -> Pace:
    """Say how many orders a request holds: finish date and admission count with it."""
    return replace(pace, orders_per_turn=orders_per_turn)


def end_batch(pace: Pace, lane: str, ordinal: int, *, settled: int) -> Pace:
    """A batch of a lane ends after this order; earlier ends count until all is settled up to there.

    A process that starts anew then makes the same requests.
    """
    ends = (end for end in pace.batch_ends.get(lane, ()) if end > settled)
    return replace(pace, batch_ends={**pace.batch_ends, lane: tuple(sorted({*ends, ordinal}))})


def forget_batch_ends(pace: Pace, lane: str) -> Pace:
    """All of the lane is settled."""
    return replace(pace, batch_ends={n: e for n, e in pace.batch_ends.items() if n != lane})


def configure_limits(pace: Pace, limits: Limits, *, now: float) -> Pace:
    """Set quotas and sending hours if they changed; what is used of a quota that stays is kept."""
    if pace.limits == limits:
        return pace
    pace = lapsed(pace, now)
    used = moved(pace.used, pace.limits.parsed, limits.parsed, now)
    before, rate = pace.rate(now), replace(pace, limits=limits).rate(now)
    if before == rate:
        freed = void_turns(pace, now, pace.spacing_seconds(now))
        used = moved(freed.used, pace.limits.parsed, limits.parsed, now)
        return replace(freed, limits=limits, used=used)
    return _revise_rate(pace, replace(pace, limits=limits, used=used), now)


def override(pace: Pace, value: Override | None, *, now: float) -> Pace:
    """Set the rate over the configured one, or remove that with None."""
    pace = lapsed(pace, now)
    return _revise_rate(pace, replace(pace, override=value), now)


def pause(pace: Pace, value: Pause) -> Pace:
    """Stop sending; turns that have not started are void."""
    paused = replace(pace, paused=value)
    return void_turns(paused, value.since, pace.spacing_seconds(value.since))


def resume(pace: Pace) -> Pace:
    """End a pause, lift every blocker, and restart the refusal budget."""
    return replace(pace, paused=None, blockers={}, resumed=pace.resumed + 1)


def block(pace: Pace, name: str, value: Blocker) -> Pace:
    """Block sending until a person acts. An equal blocker keeps the time it was first set."""
    standing = pace.blockers.get(name)
    if standing and (standing.reason, standing.detail) == (value.reason, value.detail):
        return pace
    return replace(pace, blockers={**pace.blockers, name: value})


def unblock(pace: Pace, name: str) -> Pace:
    """Remove one blocker: its cause is gone."""
    if name not in pace.blockers:
        return pace
    return replace(pace, blockers={n: b for n, b in pace.blockers.items() if n != name})


def set_aside(pace: Pace, name: str, reason: str) -> Pace:
    """Ask for one order (`<upload>/<line>`) to be settled as refused."""
    return replace(pace, set_aside={**pace.set_aside, name: reason})


def was_set_aside(pace: Pace, name: str) -> Pace:
    """The order to be set aside is settled."""
    if name not in pace.set_aside:
        return pace
    return replace(pace, set_aside={n: r for n, r in pace.set_aside.items() if n != name})


def answered(pace: Pace, generation: int, *, now: float, started_at: float = 0.0) -> Pace:
    """The API took an attempt of this generation: its hold and a row of 429s end.

    The hold's next probe is voided. started_at: when the attempt started.
    """
    if pace.generation != generation or not (pace.hold or pace.throttled):
        return pace
    pace = replace(pace, passed=max(pace.passed, started_at))
    if not pace.hold:
        return replace(pace, throttled=0)
    freed = void_turns(pace, now, pace.spacing_seconds(now))
    return replace(freed, hold=None, generation=pace.generation + 1, epoch=pace.epoch, throttled=0)


def failed(pace: Pace, failure: Failure, *, now: float) -> Pace:
    """An attempt failed: begin a hold, or extend the one that it probed.

    A 429 without a waiting time begins a hold only as the last of a row; before that, it widens the
    margin, and its order takes the next turn. Results of an older generation change nothing.
    """
    if pace.generation != failure.generation:
        return pace
    kind = failure.kind
    asked_until = now + min(failure.wait_seconds, HOLD_SECONDS_MAX)
    if pace.hold is None:
        if kind is HoldKind.THROTTLED and not failure.wait_seconds:
            pace = _throttled(pace, failure, now)
            if pace.throttled < THROTTLED_ROW:
                return pace
        until = max(now + back_off(kind, 0), asked_until)
        generation = pace.generation + 1
        hold = Hold(kind, generation, now, until, 0, failure.why, asked_until)
        freed = void_turns(pace, now, pace.spacing_seconds(now))  # by the generation:
        return replace(freed, hold=hold, generation=generation, epoch=pace.epoch)  # not the epoch
    asked_until = max(pace.hold.asked_until, asked_until)
    told = replace(pace.hold, kind=kind, why=failure.why, asked_until=asked_until)
    pace = replace(pace, hold=told)
    if min(waiting_probes(pace, now), default=asked_until) < asked_until:
        return void_turns(pace, now, pace.spacing_seconds(now))
    return replace(pace, hold=replace(told, until=max(told.until, asked_until)))


def _throttled(pace: Pace, failure: Failure, now: float) -> Pace:
    rate = pace.rate(now)
    interval = rate.interval_seconds if rate else 0.0
    margin = pace.margin.throttled(interval, started_at=failure.started_at, now=now)
    return replace(pace, margin=margin, throttled=pace.throttled + 1)
