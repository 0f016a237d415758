"""Rates, such as 1/s: their text and their interval."""

import re
from dataclasses import dataclass

RATE_GRAMMAR = "N[.N]/s, N[.N]/m, N[.N]/h or none"
LOWEST_PER_SECOND = 1 / 3600
HIGHEST_PER_SECOND = 2000.0

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
_PATTERN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,22})?)/([smh])", re.ASCII)


class RateError(ValueError):
    """Not a rate; the message names the text and the grammar."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Starts per second; `per_second=None` is `none`: no limit, no turns."""

    per_second: float | None

    def __post_init__(self) -> None:
        """Check the bounds: 1 per hour to 2,000 per second."""
        if self.per_second is None:
            return
        if not LOWEST_PER_SECOND <= self.per_second <= HIGHEST_PER_SECOND:
            raise RateError(
                f"a rate of {self.per_second:g} per second is out of bounds: "
                f"the minimum is 1/h, the maximum {HIGHEST_PER_SECOND:g}/s ({RATE_GRAMMAR})"
            )

    @property
    def interval_seconds(self) -> float:
        """Seconds from the start of one turn to the next; 0 for `none`."""
        return 0.0 if self.per_second is None else 1 / self.per_second

    def __str__(self) -> str:
        """The canonical text: in the first unit of s, m, h for which three decimals are exact."""
        if self.per_second is None:
            return "none"
        for unit, seconds in _UNIT_SECONDS.items():
            number = round(self.per_second * seconds, 3)
            if number / seconds == self.per_second:
                return f"{_plain(number)}/{unit}"
        return f"{self.per_second!r}/s"


NO_LIMIT = Rate(None)


def parse_rate(text: str) -> Rate:
    """Parse a rate, ignoring spaces around it. Raises RateError."""
    wanted = text.strip()
    if wanted == "none":
        return NO_LIMIT
    found = _PATTERN.fullmatch(wanted)
    if found is None:
        raise RateError(f"{text!r} is not a rate; write {RATE_GRAMMAR}, for example 1/s")
    return Rate(float(found[1]) / _UNIT_SECONDS[found[2]])


def _plain(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")
