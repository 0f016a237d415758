"""Sending hours, such as Mon-Fri 22:00-06:00: their text, and when they open and close."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from orders.quota import TimeWindow, local_moment

HOURS_GRAMMAR = (
    "HH:MM-HH:MM, with days before it if it is not every day, and commas between several, for "
    "example Mon-Fri 22:00-06:00, Sat,Sun 00:00-24:00"
)
ALWAYS = "always"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHORTEST_MINUTES = 1
LOOKED_AHEAD_DAYS = 17
"""The hours repeat each week, of which a clock change may skip one."""

_DAY_MINUTES = 1_440
_CLOCK = r"([0-9]{1,2}):([0-9]{2})"
_RANGE = re.compile(rf"(?:(?P<days>[A-Za-z-]+)\s+)?{_CLOCK}\s*-\s*{_CLOCK}", re.ASCII)


class HoursError(ValueError):
    """Not sending hours; the message names the text and the grammar."""


@dataclass(frozen=True, slots=True)
class OpenRange:
    """Open from one minute to another after midnight of a day of the week, 0 for Monday.

    until_minute: past 1,440 where it ends on the next day.
    """

    weekday: int
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class SendingHours:
    """When sending is allowed, by the wall clock; no ranges: always."""

    ranges: tuple[OpenRange, ...] = ()

    def open_at(self, moment: float, zone: tzinfo, *, margin_seconds: float) -> TimeWindow:
        """The open time that holds this moment, or the next one.

        margin_seconds: an open time that ends sooner after the moment is over.
        """
        if not self.ranges:
            return TimeWindow(moment, float("inf"))
        day = datetime.fromtimestamp(moment, zone).date()
        windows = _windows_from(self, day, zone)
        return next(window for window in windows if window.end - margin_seconds > moment)


@lru_cache(maxsize=4_096)
def _windows_from(hours: SendingHours, day: date, zone: tzinfo) -> tuple[TimeWindow, ...]:
    """The open times from the day before on, those that touch joined."""
    found: list[TimeWindow] = []
    for days in range(-1, LOOKED_AHEAD_DAYS):
        later = day + timedelta(days=days)
        for span in hours.ranges:
            if span.weekday == later.weekday():
                found += _pieces(span, later, zone)
    joined: list[TimeWindow] = []
    for window in sorted(found, key=lambda w: (w.start, w.end)):
        if joined and window.start <= joined[-1].end:
            joined[-1] = TimeWindow(joined[-1].start, max(joined[-1].end, window.end))
        elif window.start < window.end:  # a clock change may skip all of it
            joined.append(window)
    return tuple(joined)


def _pieces(span: OpenRange, day: date, zone: tzinfo) -> tuple[TimeWindow, ...]:
    """When the wall clock shows a time of the range: in two pieces around a change of the clock.

    A piece may be empty.
    """
    starts, ends = (
        [local_moment(day, minute, zone, fold=fold) for fold in (0, 1)]
        for minute in (span.from_minute, span.until_minute)
    )
    shown = next((pair for pair in (starts, ends) if pair[0] != pair[1]), None)
    if shown is None:
        return (TimeWindow(starts[0], ends[0]),)
    change = _clock_change(min(shown), max(shown), zone)
    if shown[0] < shown[1]:  # a time that comes twice
        return (
            TimeWindow(starts[0], min(ends[0], change)),
            TimeWindow(max(starts[1], change), ends[1]),
        )
    start, end = (pair[0] if pair[0] == pair[1] else change for pair in (starts, ends))
    return (TimeWindow(start, end),)  # a time that is skipped


def _clock_change(before: float, after: float, zone: tzinfo) -> float:
    """The moment, to the second, from which the clock is another than at `before`."""
    first, last = int(before), int(after)
    offset = datetime.fromtimestamp(first, zone).utcoffset()
    while last - first > 1:
        middle = (first + last) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            first = middle
        else:
            last = middle
    return float(last)


def parse_hours(text: str) -> SendingHours:
    """Parse sending hours; `always` and no text are all hours. Raises HoursError."""
    if text.strip() in {"", ALWAYS}:
        return SendingHours()
    ranges: list[OpenRange] = []
    days: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        found = _RANGE.fullmatch(part)
        if found is None:
            days += _parse_days(part, text)
            continue
        if found["days"]:
            days += _parse_days(found["days"], text)
        start, end = _minutes(found[2], found[3], text), _minutes(found[4], found[5], text)
        if start in {end, _DAY_MINUTES}:
            raise HoursError(f"{part!r} opens when it closes; write 00:00-24:00 for a whole day")
        end += _DAY_MINUTES if end < start else 0
        ranges += (OpenRange(day, start, end) for day in days or range(len(DAYS)))
        days = []
    if days:
        raise _wrong(text)
    return SendingHours(tuple(ranges))


def _parse_days(text: str, whole: str) -> list[int]:
    names = [name.capitalize() for name in text.split("-")]
    if len(names) > 2 or not set(names) <= set(DAYS):  # noqa: PLR2004 - from, to
        raise _wrong(whole)
    first, last = DAYS.index(names[0]), DAYS.index(names[-1])
    return [day % len(DAYS) for day in range(first, last + 1 + (last < first) * len(DAYS))]


def _minutes(hour: str, minute: str, whole: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > _DAY_MINUTES:  # noqa: PLR2004 - a clock's
        raise _wrong(whole)
    return minutes


def _wrong(text: str) -> HoursError:
    return HoursError(f"{text!r} are no sending hours; write {HOURS_GRAMMAR}")
