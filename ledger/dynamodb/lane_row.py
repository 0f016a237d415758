"""The row of a lane.

A settle is the most frequent write, so ranges are one short text each, not nested lists: `ahead`
and `gaps` are `prev-line*count@first_ordinal ...`, and `recent` is `length resumed bits`, the bits
in hexadecimal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ledger.dynamodb.row import names_its_row
from ledger.dynamodb.schema import LANE_ROW, key, lane_sk, upload_id_of, upload_pk
from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Recent, Tally
from ledger.uploads.lane_range import LaneRange

if TYPE_CHECKING:
    from ledger.dynamodb.row import Row

_LANE = TypeAdapter(Lane)
_TALLY = TypeAdapter(Tally)
_NOT_DIGITS = re.compile("[-*@]")


def lane_key(lane: LaneKey) -> Row:
    """The key of a lane's row."""
    return key(upload_pk(lane.upload), lane_sk(lane.lane))


def lane_fields(lane: Lane) -> Row:
    """Everything of a lane but its key."""
    recent, tally = lane.recent, lane.tally
    return {
        "mark": lane.mark,
        "ahead": _ranges_text(lane.ahead),
        "gaps": _ranges_text(lane.gaps),
        "recent": f"{recent.length} {recent.resumed} {recent.bits:x}",
        "ended": lane.ended,
        "revision": lane.revision,
        "writer": lane.writer,
        # By name: asdict() would take a third of the time that a settle's row takes.
        "accepted": tally.accepted,
        "refused": tally.refused,
        "cancelled": tally.cancelled,
        "missing": tally.missing,
    }


@names_its_row
def lane_of(row: Row) -> Lane:
    """The lane that a row holds."""
    number = int(str(row["sk"]).removeprefix(LANE_ROW))
    length, resumed, bits = str(row["recent"]).split()
    return _LANE.validate_python(
        row
        | {
            "key": LaneKey(upload_id_of(row), LaneNumber(number)),
            "ahead": _ranges(str(row["ahead"])),
            "gaps": _ranges(str(row["gaps"])),
            "recent": Recent(bits=int(bits, 16), length=int(length), resumed=int(resumed)),
            "tally": _TALLY.validate_python(row),
        }
    )


@names_its_row
def tally_of(row: Row) -> Tally:
    """The settled orders that a row counts."""
    return _TALLY.validate_python(row)


def _ranges_text(ranges: tuple[LaneRange, ...]) -> str:
    return " ".join(f"{x.prev}-{x.line}*{x.count}@{x.first_ordinal}" for x in ranges)


def _ranges(text: str) -> tuple[LaneRange, ...]:
    return tuple(LaneRange(*map(int, _NOT_DIGITS.split(word))) for word in text.split())
