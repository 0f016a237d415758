"""How many orders may the owner of a shard have begun without the ledger knowing what came of them?

Every attempt needs a turn, and a turn is reserved by a write of the pace item. That same write says
how many orders of the shard, counted from the first unsettled one on, can have been sent and not
settled until the next turn is reserved. Whoever takes the shard over reads it: a 409 to one of
these orders may be the answer to an attempt of the owner before, a 409 to any other is not.

    the shard has an entry     so many
    it has none, and no owner  none: nobody ever sent for it, or it was given up with all settled
    it has none, but an owner  not known: the rate was `none`, which needs no turns

Pure steps, as everything that changes the pace.
"""

from dataclasses import replace

from ledger.pace.pace import Pace
from ledger.pace.reservation import Grant, Reservation


def declared(pace: Pace, shard: str, begun: int, reservation: Reservation, *, now: float) -> Pace:
    """The pace with what the shard's owner says as it reserves turns.

    begun: how many orders, from the first unsettled one on, it may have begun before these turns.
    """
    if isinstance(reservation, Grant):
        rate = pace.rate(now)
        if rate is not None and rate.per_second:
            return _with(pace, shard, begun + len(reservation.turns))
        return without_doubts(pace)  # a probe, after which attempts need no turns
    return pace


def ended(pace: Pace, shard: str, token: str, begun: int) -> Pace:
    """The pace after the shard's owner took its last turn and settled what was on its way."""
    return _with(pace, shard, begun) if pace.owners.get(shard) == token else pace


def inherited(pace: Pace, shard: str, *, now: float) -> Pace:
    """The pace before a process comes to own the shard: nobody can have begun what nobody owned."""
    if shard not in pace.owners:
        return _with(pace, shard, 0)
    rate = pace.rate(now)  # an override may have ended by itself: no write says so
    return without_doubts(pace) if rate is not None and not rate.per_second else pace


def without_doubts(pace: Pace) -> Pace:
    """The pace where no owner says what it has begun: attempts need, or needed, no turns."""
    return replace(pace, in_doubt={}) if pace.in_doubt else pace


def _with(pace: Pace, shard: str, orders: int) -> Pace:
    if pace.in_doubt.get(shard) == orders:
        return pace
    return replace(pace, in_doubt={**pace.in_doubt, shard: orders})
