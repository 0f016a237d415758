"""What the judge says about one promise."""

from collections.abc import Sequence
from dataclasses import dataclass

PROMISES = (
    "Nothing is lost",
    "Repeats are bounded",
    "The pace is global",
    "Order is kept",
    "An outage costs time, not orders",
    "An old owner stops",
)
"""The promises of docs/guarantees.md, from 1."""


@dataclass(frozen=True, slots=True)
class PromiseVerdict:
    """A promise (by its number), what was seen, and every way in which it was broken."""

    promise: int
    evidence: str
    breaches: tuple[str, ...]

    @property
    def name(self) -> str:
        """The promise in words."""
        return PROMISES[self.promise - 1]

    @property
    def is_kept(self) -> bool:
        """Was the promise kept?"""
        return not self.breaches


def some(things: Sequence[object], most: int = 5) -> str:
    """The first few of what may be many, for a sentence."""
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(str(thing) for thing in things[:most]) + more
