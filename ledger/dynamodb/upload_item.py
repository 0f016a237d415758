"""How is an upload written as an item?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.dynamodb.lane_item import tally_attributes, tally_of
from ledger.dynamodb.readable import names_its_row
from ledger.dynamodb.schema import (
    ENDED,
    ENDED_COPY,
    KEY,
    OPEN,
    UPLOAD_ROW,
    each_text,
    flag,
    instant,
    is_set,
    key,
    n,
    s,
    seconds,
    text,
    texts,
    upload_of_pk,
    upload_pk,
    whole,
)
from ledger.uploads.upload import LaneTail, Progress, Source, Upload, UploadKind, UploadState
from orders.upload import UploadId

if TYPE_CHECKING:
    from ledger.dynamodb.schema import Item
    from ledger.uploads.lane import Tally

KEPT_SECONDS = 400 * 86_400
"""How long the rows of an upload stay once it is over: longer than any stream keeps its orders."""


def upload_key(upload: UploadId) -> Item:
    """The key of an upload's row."""
    return key(upload_pk(upload), UPLOAD_ROW)


def upload_item(upload: Upload) -> Item:
    """The whole item. What is not known yet is left out."""
    item = upload_key(upload.id) | progress_attributes(upload.progress)
    item |= {
        "bucket": s(upload.source.bucket),
        "object_key": s(upload.source.key),
        "version_id": s(upload.source.version_id),
        "etag": s(upload.source.etag),
        "size_bytes": n(upload.source.size_bytes),
        "kind": s(upload.kind),
        "state": s(upload.state),
        "reason": s(upload.reason),
        "created_at": n(upload.created_at),
        "updated_at": n(upload.updated_at),
        "run_token": s(upload.run_token),
        "estimate": n(upload.estimate),
        "admitted": flag(upload.admitted),
        "read_complete": flag(upload.read_complete),
    }
    if upload.lanes:
        item["lanes"] = n(upload.lanes)
    if upload.ended_tally is not None:
        item[ENDED_COPY] = {"M": _ended_copy(item, upload, upload.ended_tally)}
    item |= _listing(upload)
    if upload.linked is not None:
        item["linked"] = s(upload.linked)
    return item


def _ended_copy(item: Item, upload: Upload, tally: Tally) -> Item:
    """What the index carries of an ended upload, beside its own keys and what it projects."""
    copied = {name: value for name, value in item.items() if name not in KEY}
    return copied | tally_attributes(tally) | {"ended_at": n(_ended_at(upload))}


def _listing(upload: Upload) -> Item:
    if upload.listed_open:
        return {"listing": s(OPEN), "listed_at": s(instant(upload.created_at))}
    ended_at = _ended_at(upload)
    return {
        "listing": s(ENDED),
        "listed_at": s(instant(ended_at)),
        "ended_at": n(ended_at),
        "expires_at": n(expires_at_of(upload)),
    }


def expires_at_of(ended: Upload) -> int:
    """When the rows of an upload that is over may go, in epoch seconds."""
    return int(_ended_at(ended)) + KEPT_SECONDS


def _ended_at(ended: Upload) -> float:
    return ended.ended_at or ended.updated_at


def progress_attributes(progress: Progress) -> Item:
    """The attributes of an upload's row that reading moves."""
    return {
        "offset": n(progress.offset),
        "line": n(progress.line),
        "blank": n(progress.blank),
        "invalid": n(progress.invalid),
        "enqueued": n(progress.enqueued),
        "tails": s(" ".join(f"{tail.line}/{tail.ordinal}" for tail in progress.tails)),
        # Apart from the tails, so that a function of an older release can go on.
        "sequence_numbers": texts([tail.sequence_number for tail in progress.tails]),
        "read_seconds": n(progress.read_seconds),
    }


def listed_upload_of(entry: Item) -> Upload | None:
    """The upload that an entry of the index holds, None where only its row says enough."""
    copied = _copy_in(entry)
    return upload_of(copied | entry) if copied else None


def _copy_in(item: Item) -> Item | None:
    copied = item.get(ENDED_COPY)
    return dict(copied["M"]) if copied else None


@names_its_row
def upload_of(item: Item) -> Upload:
    """The upload that an item holds."""
    lanes = whole(item, "lanes")
    copied = _copy_in(item)
    return Upload(
        id=upload_of_pk(text(item, "pk")),
        source=Source(
            bucket=text(item, "bucket"),
            key=text(item, "object_key"),
            version_id=text(item, "version_id"),
            etag=text(item, "etag"),
            size_bytes=whole(item, "size_bytes"),
        ),
        state=UploadState(text(item, "state")),
        created_at=seconds(item, "created_at") or 0.0,
        updated_at=seconds(item, "updated_at") or 0.0,
        kind=UploadKind(text(item, "kind")),
        ended_at=seconds(item, "ended_at"),
        reason=text(item, "reason"),
        lanes=lanes,
        progress=_progress(item),
        run_token=text(item, "run_token"),
        estimate=whole(item, "estimate"),
        admitted=is_set(item, "admitted"),
        read_complete=is_set(item, "read_complete"),
        listed_open=text(item, "listing") == OPEN,
        linked=UploadId(linked) if (linked := text(item, "linked")) else None,
        ended_tally=tally_of(copied) if copied else None,
    )


def _progress(item: Item) -> Progress:
    tails = [tail.split("/") for tail in text(item, "tails").split()]
    numbers = each_text(item, "sequence_numbers") or [""] * len(tails)
    return Progress(
        offset=whole(item, "offset"),
        line=whole(item, "line"),
        blank=whole(item, "blank"),
        invalid=whole(item, "invalid"),
        enqueued=whole(item, "enqueued"),
        tails=tuple(
            LaneTail(int(line), int(ordinal), number)
            for (line, ordinal), number in zip(tails, numbers, strict=True)
        ),
        read_seconds=seconds(item, "read_seconds") or 0.0,
    )
