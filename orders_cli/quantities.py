"""Numbers and times as text for people."""

from datetime import datetime

_MINUTE = 60
_HOUR = 3_600
_DAY = 86_400


def duration(seconds: float) -> str:
    """A duration, as precise as a person wants it: 12 s, 3 min 20 s, 4.5 h, 11.6 days."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.1f} h"
    return f"{seconds / _DAY:.1f} days"


def moment(at: float) -> str:
    """A time (epoch seconds) in this machine's time zone."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 order, 1,200 orders."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def per_second(rate: float | None) -> str:
    """A measured pace; a slow one per hour."""
    if rate is None:
        return "unknown"
    if rate and rate < 1 / _MINUTE:
        return f"{rate * _HOUR:.2g}/h"
    return f"{rate:.3g}/s"
