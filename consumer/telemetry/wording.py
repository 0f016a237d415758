"""Numbers and moments as people read them."""

from datetime import UTC, datetime

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def rough_duration(seconds: float) -> str:
    """A length of time in its largest unit and the next one: `3 h 12 min`."""
    whole = round(seconds)
    for index, (name, unit_seconds) in enumerate(_UNITS[:-1]):
        if whole < unit_seconds:
            continue
        smaller, smaller_seconds = _UNITS[index + 1]
        rest = whole % unit_seconds // smaller_seconds
        return f"{whole // unit_seconds} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


def utc_minute(at: float) -> str:
    """A moment in UTC, to the minute."""
    return datetime.fromtimestamp(at, UTC).strftime("%a %d %b %Y, %H:%M UTC")


def pace_text(per_second: float) -> str:
    """A pace in the unit in which it is a handy number."""
    for unit, seconds in (("s", 1), ("min", 60)):
        if per_second * seconds >= 1:
            return f"{_handy(per_second * seconds)} per {unit}"
    return f"{_handy(per_second * 3600)} per h"


def thousands(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", "\u202f")


def _handy(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"  # noqa: PLR2004 - three digits
