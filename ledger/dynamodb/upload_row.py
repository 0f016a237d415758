"""The row of an upload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ledger.dynamodb.row import names_its_row
from ledger.dynamodb.schema import (
    ENDED,
    ENDED_COPY,
    OPEN,
    UPLOAD_ROW,
    instant,
    key,
    upload_id_of,
    upload_pk,
)
from ledger.uploads.id_repeats import IdRepeats
from ledger.uploads.upload import Progress, Upload

if TYPE_CHECKING:
    from ledger.dynamodb.row import Row
    from orders.upload import UploadId

ROWS_KEPT_SECONDS = 400 * 86_400
"""How long the rows of an ended upload stay: longer than any stream keeps its orders."""

LETTERS_CLOSED_AS_SEEN = "(attribute_not_exists(letters_closed) OR letters_closed = :seen_closed)"
"""Of a condition: nobody closed a letter since. Rows of an earlier release may have no count."""

# Fields missing from older rows take their defaults.
_UPLOAD = TypeAdapter(Upload)
_PROGRESS = TypeAdapter(Progress)
_REPEATS = TypeAdapter(IdRepeats)


def upload_key(upload: UploadId) -> Row:
    """The key of an upload's row."""
    return key(upload_pk(upload), UPLOAD_ROW)


def upload_row(upload: Upload) -> Row:
    """The whole row. What is not known yet is left out."""
    fields: Row = _UPLOAD.dump_python(upload, exclude={"id", "listed_open"}, exclude_none=True)
    row = upload_key(upload.id) | fields
    if upload.listed_open:
        return row | {"listing": OPEN, "listed_at": instant(upload.created_at)}
    return row | {
        "listing": ENDED,
        "listed_at": instant(upload.ended_at or upload.updated_at),
        "expires_at": expires_at_of(upload),
        ENDED_COPY: fields,
    }


def progress_fields(progress: Progress) -> Row:
    """The progress as an attribute of the upload's row."""
    return {"progress": _PROGRESS.dump_python(progress)}


def repeats_fields(repeats: IdRepeats) -> Row:
    """What was found of the order ids, as an attribute of the upload's row."""
    return {"id_repeats": _REPEATS.dump_python(repeats)}


def changed_fields(old: Upload, new: Upload) -> Row:
    """What to set on the row of an upload so that it becomes the new one."""
    before = upload_row(old)
    return {name: value for name, value in upload_row(new).items() if before.get(name) != value}


def expires_at_of(ended: Upload) -> int:
    """When the rows of an ended upload may go, in epoch seconds."""
    return int(ended.ended_at or ended.updated_at) + ROWS_KEPT_SECONDS


def listed_upload_of(entry: Row) -> Upload | None:
    """The upload that an entry of the index holds; None where only its row holds enough."""
    copied = entry.get(ENDED_COPY)
    return upload_of(copied | entry) if isinstance(copied, dict) else None


@names_its_row
def upload_of(row: Row) -> Upload:
    """The upload that a row holds."""
    return _UPLOAD.validate_python(
        row | {"id": upload_id_of(row), "listed_open": row.get("listing") == OPEN}
    )
