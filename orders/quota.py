"""Quotas, such as 50000/d: their text, and the windows in which requests are counted."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

QUOTA_GRAMMAR = (
    "N/m, N/h or N/d for a calendar minute, hour or day, and N/60m, N/24h or N/7d, that is, with a "
    "number, for the time just past"
)
NO_QUOTA = "none"
HIGHEST_COUNT = 1_000_000_000
LONGEST_DAYS = 31
SHORTEST_SECONDS = 60

_UNIT_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_PATTERN = re.compile(r"([1-9][0-9]{0,9})/([1-9][0-9]{0,5})?([mhd])", re.ASCII)


class QuotaError(ValueError):
    """Not a quota, or no time zone; the message names the text and the grammar."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A calendar window: from one moment to the next, in seconds since the epoch."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `count` requests in each window.

    units: None for a calendar window, else how many units the rolling window spans.
    """

    count: int
    unit: str
    units: int | None = None

    @property
    def window(self) -> str:
        """The text of the window: `d`, or `24h`."""
        return f"{self.units or ''}{self.unit}"

    @property
    def seconds(self) -> int:
        """The length of the window; a calendar day may be an hour longer or shorter."""
        return (self.units or 1) * _UNIT_SECONDS[self.unit]

    @property
    def is_rolling(self) -> bool:
        """Is it counted over the time just past, not by the calendar?"""
        return self.units is not None

    def __str__(self) -> str:
        """The text it is parsed from."""
        return f"{self.count}/{self.window}"

    def window_at(self, moment: float, zone: tzinfo) -> TimeWindow:
        """The calendar window that holds this moment."""
        if self.unit == "d":
            return _day_at(moment, zone)
        offset = datetime.fromtimestamp(moment, zone).utcoffset() or timedelta()
        shift, seconds = offset.total_seconds(), _UNIT_SECONDS[self.unit]
        start = (moment + shift) // seconds * seconds - shift
        return TimeWindow(start, start + seconds)


def parse_quotas(text: str) -> tuple[Quota, ...]:
    """Parse quotas with commas between them; `none` and no text are no quota. Raises QuotaError."""
    if text.strip() in {"", NO_QUOTA}:
        return ()
    quotas = tuple(_parse_quota(part.strip()) for part in text.split(","))
    if len({quota.window for quota in quotas}) < len(quotas):
        raise QuotaError(f"{text!r} has two quotas for one window; keep the smaller one")
    return quotas


def _parse_quota(text: str) -> Quota:
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise QuotaError(f"{text!r} is not a quota; write {QUOTA_GRAMMAR}, for example 50000/d")
    quota = Quota(int(found[1]), found[3], int(found[2]) if found[2] else None)
    is_in_bounds = SHORTEST_SECONDS <= quota.seconds <= LONGEST_DAYS * 86_400
    if quota.count > HIGHEST_COUNT or not is_in_bounds:
        raise QuotaError(
            f"the quota {text!r} is out of bounds: at most {HIGHEST_COUNT:,} requests, in a window "
            f"of a minute to {LONGEST_DAYS} days"
        )
    return quota


def parse_time_zone(name: str) -> tzinfo:
    """The zone of an IANA name. Raises QuotaError."""
    if name == "UTC":
        return UTC  # needs no zone database
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise QuotaError(
            f"there is no time zone {name!r}; write an IANA name, for example Europe/Berlin or UTC"
        ) from error


def local_moment(day: date, minutes: int, zone: tzinfo, *, fold: int = 0) -> float:
    """When a local clock shows so many minutes (up to two days) after the day's midnight.

    A time that a clock change skips is as much later; of one that comes twice, the first.
    """
    later = day + timedelta(days=minutes // 1_440)
    clock = time(minutes % 1_440 // 60, minutes % 60, tzinfo=zone, fold=fold)
    return datetime.combine(later, clock).timestamp()


def _day_at(moment: float, zone: tzinfo) -> TimeWindow:
    window, later_end = _day(datetime.fromtimestamp(moment, zone).date(), zone)
    if window.end <= moment:  # a clock change at midnight: the end of the day comes twice
        return TimeWindow(window.start, later_end)
    return window


@lru_cache(maxsize=64)  # it is asked several times for each turn
def _day(day: date, zone: tzinfo) -> tuple[TimeWindow, float]:
    start, end = local_moment(day, 0, zone), local_moment(day, 1_440, zone)
    return TimeWindow(start, end), local_moment(day, 1_440, zone, fold=1)
