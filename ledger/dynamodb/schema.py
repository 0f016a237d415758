"""The keys of the table's rows.

    row                 pk               sk                    listing, listed_at
    upload              upload#<id>      row#upload            open, since when | ended, when
    lane                upload#<id>      row#lane#<NNN>        -
    dead letter         upload#<id>      dead#<position>       dead | closed, when it was refused
    redrive under way   upload#<id>      redrive               redrive, when it was begun
    totals of uploads   totals           totals                -
      that ended
    bytes of uploads    bytes#<print>    bytes                 -
    claim               claims#<worker>  <NNNN>                worker, its number
    pace                pace             pace                  -
    history             history          history               -

The index `listing` finds keys, and the rows are then read consistently. The row of an ended upload
hardly changes any more, so the index carries a copy of it (`ended`), which is enough for a list. It
also carries `lanes`, which tells how many rows an open upload has, and `linked`. `expires_at`
(epoch seconds, DynamoDB's time to live) is set only on the rows of ended uploads, of their lanes,
and of the bytes that an upload held.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orders.upload import UploadId

if TYPE_CHECKING:
    from ledger.dynamodb.row import Row

LISTING = "listing"
"""The index, and its hash key."""
OPEN = "open"
ENDED = "ended"
DEAD = "dead"
CLOSED = "closed"
WORKER = "worker"
REDRIVE = "redrive"

ENDED_COPY = "ended"
"""The attribute that holds all of an ended upload that a list needs."""

UPLOAD_ROW = "row#upload"
LANE_ROW = "row#lane#"
ROWS = "row#"
DEAD_LETTER = "dead#"

_UPLOAD = "upload#"


def key(pk: str, sk: str) -> Row:
    """The key of one row."""
    return {"pk": pk, "sk": sk}


def key_of(row: Row) -> Row:
    """The key of a row that was read."""
    return {"pk": row["pk"], "sk": row["sk"]}


def upload_pk(upload: UploadId) -> str:
    """The partition of an upload: its row, its lanes, its dead letters."""
    return f"{_UPLOAD}{upload}"


def fingerprint_key(fingerprint: str) -> Row:
    """The row that says which upload held some bytes first."""
    return key(f"bytes#{fingerprint}", "bytes")


def upload_id_of(row: Row) -> UploadId:
    """The upload in whose partition a row is."""
    return UploadId(str(row["pk"]).removeprefix(_UPLOAD))


def lane_sk(lane: int) -> str:
    """The sort key of a lane's row."""
    return f"{LANE_ROW}{lane:03d}"


def instant(at: float) -> str:
    """A time (epoch seconds) as text that sorts as the times do."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
