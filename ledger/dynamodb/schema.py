"""Where in the table is each row, and how are its attributes written?

    row                 pk               sk                    listing, listed_at
    upload              upload#<id>      row#upload            open, since when | ended, when
    lane                upload#<id>      row#lane#<NNN>        -
    dead letter         upload#<id>      dead#<position>       dead, when it was refused
    redrive under way   upload#<id>      redrive               redrive, when it was begun
    totals of uploads   totals           totals                -
      that ended
    claim               claims#<worker>  <NNNN>                worker, its number
    pace                pace             pace                  -
    history             history          history               -

The index `listing` finds keys, and what it finds is read again consistently. The row of an upload
that is over hardly changes any more: the index carries a copy of it (`ended`), which is enough for
a list. It also carries `lanes`, which says how many rows an open upload has, and `linked`.
`expires_at` (epoch seconds, DynamoDB's time to live) stands only on the rows of uploads that are
over, and of their lanes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orders.upload import UploadId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Attribute = AttributeValueTypeDef
    Item = dict[str, Attribute]

LISTING = "listing"
"""The index, and its hash key."""
OPEN = "open"
ENDED = "ended"
DEAD = "dead"
WORKER = "worker"
REDRIVE = "redrive"

ENDED_COPY = "ended"
"""The attribute that holds all of an ended upload that a list needs."""
KEY = frozenset({"pk", "sk"})

UPLOAD_ROW = "row#upload"
LANE_ROW = "row#lane#"
ROWS = "row#"
DEAD_LETTER = "dead#"

_UPLOAD = "upload#"


def key(pk: str, sk: str) -> Item:
    """The key of one item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def upload_pk(upload: UploadId) -> str:
    """The partition of an upload: its row, its lanes, its dead letters."""
    return f"{_UPLOAD}{upload}"


def upload_of_pk(pk: str) -> UploadId:
    """The upload whose partition this is."""
    return UploadId(pk.removeprefix(_UPLOAD))


def lane_sk(lane: int) -> str:
    """The sort key of a lane's row."""
    return f"{LANE_ROW}{lane:03d}"


def s(text: str) -> Attribute:
    """Write a text."""
    return {"S": text}


def texts(each: Sequence[str]) -> Attribute:
    """Write texts, in their order."""
    return {"L": [s(one) for one in each]}


def n(number: float) -> Attribute:
    """Write a number, exactly: 17 digits of a float come back as that float."""
    return {"N": repr(number)}


def flag(value: bool) -> Attribute:  # noqa: FBT001 the flag is the value
    """Write a yes or no."""
    return {"BOOL": value}


def text(item: Item, name: str) -> str:
    """Read a text; an absent one is empty."""
    attribute = item.get(name)
    return attribute["S"] if attribute else ""


def each_text(item: Item, name: str) -> list[str]:
    """Read texts; where there are none, they are an empty list."""
    attribute = item.get(name)
    return [one["S"] for one in attribute["L"]] if attribute else []


def whole(item: Item, name: str) -> int:
    """Read a whole number; an absent one is 0."""
    attribute = item.get(name)
    return int(attribute["N"]) if attribute else 0


def seconds(item: Item, name: str) -> float | None:
    """Read a time or a length of time in seconds."""
    attribute = item.get(name)
    return float(attribute["N"]) if attribute else None


def is_set(item: Item, name: str) -> bool:
    """Read a yes or no; an absent one is no."""
    attribute = item.get(name)
    return bool(attribute and attribute["BOOL"])


def instant(at: float) -> str:
    """Write a time (epoch seconds) as text that sorts as the times do."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
