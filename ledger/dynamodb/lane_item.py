"""How is a lane written as an item?

A settle is the write that happens most, so ranges are one short text each, not nested lists:
`ahead` and `gaps` are `prev-line*count@first_ordinal ...`, and `recent` is `length resumed bits`,
the bits in hexadecimal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ledger.dynamodb.readable import names_its_row
from ledger.dynamodb.schema import (
    LANE_ROW,
    flag,
    is_set,
    key,
    lane_sk,
    n,
    s,
    text,
    upload_of_pk,
    upload_pk,
    whole,
)
from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Recent, Tally
from ledger.uploads.lane_range import LaneRange

if TYPE_CHECKING:
    from ledger.dynamodb.schema import Item

_NOT_DIGITS = re.compile("[-*@]")


def lane_key(lane: LaneKey) -> Item:
    """The key of a lane's row."""
    return key(upload_pk(lane.upload), lane_sk(lane.lane))


def lane_attributes(lane: Lane) -> Item:
    """Everything of a lane but its key."""
    recent = lane.recent
    return {
        "mark": n(lane.mark),
        "ahead": s(_ranges_text(lane.ahead)),
        "gaps": s(_ranges_text(lane.gaps)),
        "recent": s(f"{recent.length} {recent.resumed} {recent.bits:x}"),
        "ended": flag(lane.ended),
        "revision": n(lane.revision),
        "writer": s(lane.writer),
    } | tally_attributes(lane.tally)


def tally_attributes(tally: Tally) -> Item:
    """Settled orders by outcome."""
    return {
        "accepted": n(tally.accepted),
        "refused": n(tally.refused),
        "cancelled": n(tally.cancelled),
        "missing": n(tally.missing),
    }


@names_its_row
def lane_of(item: Item) -> Lane:
    """The lane that an item holds."""
    number = int(text(item, "sk").removeprefix(LANE_ROW))
    return Lane(
        key=LaneKey(upload_of_pk(text(item, "pk")), LaneNumber(number)),
        mark=whole(item, "mark"),
        ahead=_ranges(text(item, "ahead")),
        gaps=_ranges(text(item, "gaps")),
        tally=tally_of(item),
        recent=_recent(text(item, "recent")),
        ended=is_set(item, "ended"),
        revision=whole(item, "revision"),
        writer=text(item, "writer"),
    )


def tally_of(item: Item) -> Tally:
    """The settled orders that an item counts."""
    return Tally(
        accepted=whole(item, "accepted"),
        refused=whole(item, "refused"),
        cancelled=whole(item, "cancelled"),
        missing=whole(item, "missing"),
    )


def _ranges_text(ranges: tuple[LaneRange, ...]) -> str:
    return " ".join(f"{x.prev}-{x.line}*{x.count}@{x.first_ordinal}" for x in ranges)


def _ranges(words: str) -> tuple[LaneRange, ...]:
    return tuple(LaneRange(*map(int, _NOT_DIGITS.split(word))) for word in words.split())


def _recent(words: str) -> Recent:
    length, resumed, bits = words.split()
    return Recent(bits=int(bits, 16), length=int(length), resumed=int(resumed))
