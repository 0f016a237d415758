"""How are numbers and moments told to people?"""

from datetime import UTC, datetime

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `3 h 12 min`."""
    left = round(seconds)
    parts = []
    for name, unit_seconds in _UNITS:
        if left >= unit_seconds:
            parts.append(f"{left // unit_seconds} {name}")
            left %= unit_seconds
        elif parts:
            break
        if len(parts) == 2:  # noqa: PLR2004 - the two largest
            return " ".join(parts)
    if left or not parts:
        parts.append(f"{left} s")
    return " ".join(parts[:2])


def moment(at: float) -> str:
    """A moment in UTC, to the minute."""
    return datetime.fromtimestamp(at, UTC).strftime("%a %d %b %Y, %H:%M UTC")


def pace(per_second: float) -> str:
    """A pace in the unit in which it is a handy number."""
    for unit, seconds in (("s", 1), ("min", 60)):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:.3g} per {unit}"
    return f"{per_second * 3600:.3g} per h"


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", "\u202f")
