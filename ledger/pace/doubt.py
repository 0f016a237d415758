"""How many orders the owner of a shard may have begun whose results the ledger does not know.

Every attempt needs a turn, and a turn is reserved by a write of the pace item. The same write says
how many orders of the shard, counted from the first unsettled one, may be sent but not settled
before the next turn is reserved. The next owner of the shard reads it: a 409 to one of these orders
may be caused by an attempt of the previous owner, a 409 to any other is not.

    the shard has an entry          that many
    it has no entry and no owner    none: nobody ever sent for it, or all was settled at the end
    it has no entry but an owner    unknown: the rate was `none`, which needs no turns

Pure steps, like everything that changes the pace.
"""

from dataclasses import replace

from ledger.pace.pace import Pace
from ledger.pace.reservation import Grant, Reservation


def declared(pace: Pace, shard: str, begun: int, reservation: Reservation, *, now: float) -> Pace:
    """The pace with what the shard's owner declares as it reserves turns.

    begun: how many orders, from the first unsettled one, it may have begun before these turns.
    """
    if isinstance(reservation, Grant):
        rate = pace.rate(now)
        if rate is not None and rate.per_second:
            return _with(pace, shard, begun + len(reservation.turns))
        return without_doubts(pace)  # a probe, after which attempts need no turns
    return pace


def ended(pace: Pace, shard: str, token: str, begun: int) -> Pace:
    """The pace after the shard's owner took its last turn and settled what was in flight."""
    return _with(pace, shard, begun) if pace.owners.get(shard) == token else pace


def inherited(pace: Pace, shard: str, *, now: float) -> Pace:
    """The pace before a process takes the shard: without an owner, nothing was begun."""
    if shard not in pace.owners:
        return _with(pace, shard, 0)
    rate = pace.rate(now)  # an override may have ended by itself: no write says so
    return without_doubts(pace) if rate is not None and not rate.per_second else pace


def without_doubts(pace: Pace) -> Pace:
    """The pace with no declarations: attempts need, or needed, no turns."""
    return replace(pace, in_doubt={}) if pace.in_doubt else pace


def _with(pace: Pace, shard: str, orders: int) -> Pace:
    if pace.in_doubt.get(shard) == orders:
        return pace
    return replace(pace, in_doubt={**pace.in_doubt, shard: orders})
