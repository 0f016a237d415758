"""How do people, and the answers of the API, change the pace?

Pure steps from one pace to the next: who takes one writes the result by compare-and-set.
"""

from dataclasses import replace

from ledger.ports.pace import HOLD_SECONDS_MAX, Bar, Hold, HoldKind, Override, Pace, Pause
from ledger.ports.pace_voiding import back_off, void_turns, waiting_probes


def _revise_rate(old: Pace, new: Pace, now: float) -> Pace:
    if old.rate(now) == new.rate(now):
        return new
    rate = new.rate(now)
    return void_turns(new, now, rate.interval_seconds if rate else 0.0)


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
    return void_turns(paused, value.since, rate.interval_seconds if rate else 0.0)


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


def answered(pace: Pace, generation: int, *, now: float) -> Pace:
    """The API took an attempt of this generation: a hold of it ends, and so does its next probe."""
    if not pace.hold or pace.hold.generation != generation:
        return pace
    rate = pace.rate(now)
    freed = void_turns(pace, now, rate.interval_seconds if rate else 0.0)
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
        until = max(now + back_off(kind, 0), asked_until)
        hold = Hold(kind, generation + 1, now, until, step=0, why=why, asked_until=asked_until)
        freed = void_turns(pace, now, interval)  # by the generation: the epoch may stay
        return replace(freed, hold=hold, generation=generation + 1, epoch=pace.epoch)
    asked_until = max(pace.hold.asked_until, asked_until)
    told = replace(pace.hold, kind=kind, why=why, asked_until=asked_until)
    pace = replace(pace, hold=told)
    if min(waiting_probes(pace, now), default=asked_until) < asked_until:
        return void_turns(pace, now, interval)
    return replace(pace, hold=replace(told, until=max(told.until, asked_until)))
