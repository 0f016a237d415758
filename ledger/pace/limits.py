"""Quotas and sending hours: when may the next turn be, and how many may follow it?

Every turn that is reserved counts, and a turn that is voided is given back. A request may leave
LATE_SECONDS after its turn, so a turn that close to the end of a window counts in the next one,
too, and none is that close to closing time.

A calendar window has one count. A rolling one is counted in SLICES: a slice counts until all of it
is past, so that the limit holds at each moment and memory is bounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from functools import lru_cache

from ledger.pace.reservation import LATE_SECONDS
from orders.quota import Quota, parse_quotas, parse_time_zone
from orders.sending_hours import SendingHours, parse_hours

SLICES = 128
"""A rolling window is counted in slices of this share of it."""
_TRIES = 1_000
"""Each try opens a later window; far more than a week of open times and closed windows has."""

Counts = tuple[tuple[int, int], ...]
"""Requests by window: a calendar window's start, or the number of a rolling window's slice."""


class Shut(StrEnum):
    """Why no turn may be now; a time is known from which one may."""

    QUOTA = "quota used up"
    HOURS = "outside sending hours"


@dataclass(frozen=True, slots=True)
class Limits:
    """The texts of the limits beside the rate, as in the settings; empty: no such limit."""

    quota: str = ""
    hours: str = ""
    time_zone: str = "UTC"

    @property
    def is_set(self) -> bool:
        """Is there a limit beside the rate?"""
        return bool(self.quota or self.hours)

    @property
    def parsed(self) -> "ParsedLimits":
        """The values of the texts. Raises QuotaError and HoursError."""
        return _parsed(self)


@dataclass(frozen=True, slots=True)
class ParsedLimits:
    """The limits beside the rate."""

    quotas: tuple[Quota, ...]
    hours: SendingHours
    zone: tzinfo


NO_LIMITS = Limits()


def beside_rate(limits: Limits) -> str:
    """The limits beside the rate, as words that follow it; empty if there are none."""
    quota = f" and {limits.quota}" if limits.quota else ""
    hours = f" in the hours {limits.hours}" if limits.hours else ""
    return quota + hours + (f" ({limits.time_zone})" if limits.is_set else "")


@lru_cache(maxsize=64)
def _parsed(limits: Limits) -> ParsedLimits:
    zone = parse_time_zone(limits.time_zone)
    return ParsedLimits(parse_quotas(limits.quota), parse_hours(limits.hours), zone)


@dataclass(frozen=True, slots=True)
class Room:
    """From `start`, up to `turns` turns may be before `end`; they count in the same windows.

    why: what forbids the time before `start`, None if nothing does.
    """

    start: float
    turns: float
    end: float
    why: Shut | None = None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What is used of each quota: by the text of its window, the requests counted."""

    counts: Mapping[str, Counts] = field(default_factory=dict)

    def of(self, quota: Quota, moment: float, zone: tzinfo) -> int:
        """How many requests count in the window at a moment."""
        counts = self.counts.get(quota.window, ())
        if quota.is_rolling:
            oldest = _slice(quota, moment - quota.seconds - LATE_SECONDS)
            return sum(count for key, count in counts if key >= oldest)
        start = int(quota.window_at(moment, zone).start)
        return sum(count for key, count in counts if key == start)

    def with_turns(self, limits: ParsedLimits, at: float, turns: int) -> "Used":
        """With so many turns at a moment; negative: without them."""
        counts = dict(self.counts)
        for quota in limits.quotas:
            kept = dict(counts.get(quota.window, ()))
            for key in _keys(quota, at, limits.zone):
                kept[key] = max(kept.get(key, 0) + turns, 0)
            counts[quota.window] = tuple(sorted((k, n) for k, n in kept.items() if n))
        return Used(counts)

    def since(self, limits: ParsedLimits, now: float) -> "Used":
        """Without what can matter no more."""
        counts: dict[str, Counts] = {}
        for quota in limits.quotas:
            if quota.is_rolling:
                oldest = _slice(quota, now - quota.seconds - LATE_SECONDS)
            else:
                oldest = int(quota.window_at(now, limits.zone).start - 1.5 * quota.seconds)
            of_window = self.counts.get(quota.window, ())
            counts[quota.window] = tuple((k, n) for k, n in of_window if k >= oldest)
        return Used(counts)


NOTHING_USED = Used()


def moved(used: Used, old: ParsedLimits, new: ParsedLimits, now: float) -> Used:
    """What is used, after a change of the limits.

    A new zone's windows overlap the old one's: the window of now takes over all that may be in it.
    """
    counts: dict[str, Counts] = {}
    for quota in new.quotas:
        kept = used.counts.get(quota.window, ())
        if kept and not quota.is_rolling and old.zone != new.zone:
            start = quota.window_at(now, new.zone).start
            turns = sum(n for key, n in kept if quota.window_at(key, old.zone).end > start)
            kept = ((int(start), turns),) if turns else ()
        if kept:
            counts[quota.window] = kept
    return Used(counts)


def room_from(limits: ParsedLimits, used: Used, moment: float) -> Room:
    """The first moment from this one on at which a turn may be."""
    at, why, blamed = moment, None, None
    for _ in range(_TRIES):
        window = limits.hours.open_at(at, limits.zone, margin_seconds=LATE_SECONDS)
        if window.start > at:
            at, why, blamed = window.start, Shut.HOURS, None
        later, turns, end = at, float("inf"), window.end - LATE_SECONDS
        for quota in limits.quotas:
            left, same_until, opens = _look(quota, used, at, limits.zone)
            turns, end = min(turns, left), min(end, same_until)
            if opens > later:
                later, why, blamed = opens, Shut.QUOTA, quota
        if later <= at:
            return Room(at, turns, end, why, blamed)
        at = later
    raise RuntimeError(f"no open time within {_TRIES} windows after {moment}")


def fitting(room: Room, wanted: int, interval: float) -> int:
    """How many turns, one at least, fit in a room; all of them count in the same windows."""
    fits = min(room.turns, (room.end - room.start) / interval if interval else room.turns)
    return max(1, int(min(float(wanted), fits)))


def _look(quota: Quota, used: Used, at: float, zone: tzinfo) -> tuple[int, float, float]:
    """How many turns a quota leaves at a moment, until when they count in the same windows.

    Third: the first moment from this one on at which it is not used up.
    """
    if quota.is_rolling:
        left = quota.count - used.of(quota, at, zone)
        same_until = (_slice(quota, at) + 1) * quota.seconds / SLICES
        return left, same_until, at if left > 0 else _opens(quota, used, at)
    window, counts = quota.window_at(at, zone), dict(used.counts.get(quota.window, ()))
    left, same_until = quota.count - counts.get(int(window.start), 0), window.end - LATE_SECONDS
    if at >= same_until:  # a turn now counts in the next window, too
        left, same_until = min(left, quota.count - counts.get(int(window.end), 0)), window.end
    return left, same_until, at if left > 0 else window.end


def _opens(quota: Quota, used: Used, at: float) -> float:
    """The first moment, from `at` on, at which a rolling quota is not used up."""
    total = 0
    for key, count in reversed(used.counts[quota.window]):
        total += count
        if total >= quota.count:  # once this slice is past, fewer are left
            width = quota.seconds / SLICES
            past = (key + 1) * width + quota.seconds + LATE_SECONDS
            while _slice(quota, past - quota.seconds - LATE_SECONDS) <= key:
                past += width * 1e-6  # a slice's end is rounded
            return max(past, at)
    return at


def _keys(quota: Quota, at: float, zone: tzinfo) -> tuple[int, ...]:
    if quota.is_rolling:
        return (_slice(quota, at),)
    window = quota.window_at(at, zone)
    if at < window.end - LATE_SECONDS:
        return (int(window.start),)
    return (int(window.start), int(window.end))


def _slice(quota: Quota, at: float) -> int:
    return int(at * SLICES // quota.seconds)
