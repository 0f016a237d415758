"""How is a lane written as an item?

A settle is the write that happens most, so stretches are one short text each, not nested lists:
`ahead` is `prev-line*count ...`, `gaps` is `prev-line*count@first_ordinal ...`, and `recent` is
`length resumed bits`, the bits in hexadecimal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from ledger.ports.lanes import Gap, Lane, LaneKey, LaneNumber, Reach, Recent, Tally

if TYPE_CHECKING:
    from ledger.dynamodb.schema import Item


def lane_key(lane: LaneKey) -> Item:
    """The key of a lane's row."""
    return key(upload_pk(lane.upload), lane_sk(lane.lane))


def lane_attributes(lane: Lane) -> Item:
    """Everything of a lane but its key."""
    recent = lane.recent
    return {
        "mark": n(lane.mark),
        "ahead": s(" ".join(f"{r.prev}-{r.line}*{r.count}" for r in lane.ahead)),
        "gaps": s(" ".join(f"{g.prev}-{g.line}*{g.count}@{g.first_ordinal}" for g in lane.gaps)),
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


def lane_of(item: Item) -> Lane:
    """The lane that an item holds."""
    number = int(text(item, "sk").removeprefix(LANE_ROW))
    return Lane(
        key=LaneKey(upload_of_pk(text(item, "pk")), LaneNumber(number)),
        mark=whole(item, "mark"),
        ahead=tuple(_reach(word) for word in text(item, "ahead").split()),
        gaps=tuple(_gap(word) for word in text(item, "gaps").split()),
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


def _reach(word: str) -> Reach:
    lines, _, count = word.partition("*")
    prev, _, line = lines.partition("-")
    return Reach(int(prev), int(line), int(count))


def _gap(word: str) -> Gap:
    reach, _, first_ordinal = word.partition("@")
    stretch = _reach(reach)
    return Gap(stretch.prev, stretch.line, stretch.count, int(first_ordinal))


def _recent(words: str) -> Recent:
    length, resumed, bits = words.split()
    return Recent(bits=int(bits, 16), length=int(length), resumed=int(resumed))
