"""Reservations: what a shard process gets when it asks for turns."""

from dataclasses import dataclass

LATE_SECONDS = 1.0
"""How late a turn may start while no other machine takes turns."""
ACTIVE_SECONDS = 5.0
"""A shard that had no turn for this long is idle and does not limit the others."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """A row of turns granted to a shard: `count` turns, `interval` seconds apart."""

    first: float
    count: int
    interval: float
    shard: str = ""

    @property
    def last(self) -> float:
        """The last turn of the row."""
        return self.first + (self.count - 1) * self.interval

    def is_active(self, now: float) -> bool:
        """Did its shard have a turn recently, or is one still to come?"""
        return self.last > now - ACTIVE_SECONDS

    def started_by(self, now: float) -> float | None:
        """The last turn of the row that is not in the future; None if all of them are."""
        if now < self.first:
            return None
        if not self.interval:
            return self.last
        started = min(int((now - self.first) / self.interval), self.count - 1)
        return self.first + started * self.interval


@dataclass(frozen=True, slots=True)
class Grant:
    """Granted turns: absolute times, in order. A probe is one turn that tests a held API."""

    turns: tuple[float, ...]
    epoch: int
    generation: int
    is_probe: bool
    interval: float  # the spacing: a margin is part of it
    was_reset: bool = False  # `next_free` was further ahead than can have been reserved
    skipped_seconds: float = 0.0  # the time before the first turn that nobody reserved


@dataclass(frozen=True, slots=True)
class Unused:
    """A granted turn that its holder gave up: it was too late, and nothing is sent in it.

    epoch, generation: of its grant.
    """

    start: float
    epoch: int
    generation: int


@dataclass(frozen=True, slots=True)
class Unlimited:
    """The rate is `none`: no turns are needed."""

    epoch: int
    generation: int


@dataclass(frozen=True, slots=True)
class Closed:
    """No turn now: paused, blocked, without a rate, a quota used up, outside sending hours.

    until: None until a person acts.
    """

    reason: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another process owns the shard now: stop."""


Reservation = Grant | Unlimited | Closed | Superseded
