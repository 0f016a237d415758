"""The uploads that an event asks for.

Every shape that an S3 event can arrive in gives the same answer: through SQS, bare, or as an
EventBridge event, also one inside the other. S3's own events have URL-encoded keys, EventBridge's
do not. One more message is our own: to continue with an upload.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from ledger.uploads.upload import Source
from orders.upload import UploadId, object_version, upload_id

_CONTINUE = "continue_upload"
_CREATED = "ObjectCreated:"


class EventUnknown(Exception):
    """A message is neither an S3 event nor one of ours; it ends in the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """An object was stored."""

    upload: UploadId
    source: Source


@dataclass(frozen=True, slots=True)
class Continue:
    """A run of this upload ran out of time."""

    upload: UploadId


Request = Arrived | Continue


def continue_message(upload: UploadId) -> str:
    """The message that asks for the rest of an upload."""
    return json.dumps({_CONTINUE: upload})


def requests_of_message(body: str) -> list[Request]:
    """The requests in the body of a queue's message. Raises EventUnknown."""
    try:
        event = json.loads(body)
    except ValueError as error:
        raise EventUnknown(f"a message is not JSON: {body[:200]!r}") from error
    return requests_of_event(event)


def requests_of_event(event: object) -> list[Request]:
    """The requests in an event that is not SQS's. Raises EventUnknown."""
    if isinstance(event, Mapping):
        if event.get("Event") == "s3:TestEvent":
            return []
        if _CONTINUE in event:
            return [Continue(UploadId(str(event[_CONTINUE])))]
        try:
            if "Records" in event:
                return _of_s3(event)
            if event.get("source") == "aws.s3" and "detail" in event:
                return _of_event_bridge(event)
        except (KeyError, TypeError, AttributeError) as error:
            raise EventUnknown(f"an S3 event lacks {error}: {str(event)[:200]}") from error
    raise EventUnknown(f"this is no event of an upload: {str(event)[:200]}")


def _of_s3(event: Mapping[str, Any]) -> list[Request]:
    requests: list[Request] = []
    for record in event["Records"]:
        if not record["eventName"].startswith(_CREATED):
            continue
        stored = record["s3"]["object"]
        source = Source(
            bucket=record["s3"]["bucket"]["name"],
            key=unquote_plus(stored["key"]),
            version_id=_version(stored.get("versionId")),
            etag=stored.get("eTag") or "",
            size_bytes=int(stored["size"]),
        )
        requests.append(_arrived(source, sequencer=stored.get("sequencer") or ""))
    return requests


def _of_event_bridge(event: Mapping[str, Any]) -> list[Request]:
    if event.get("detail-type") != "Object Created":
        return []
    stored = event["detail"]["object"]
    source = Source(
        bucket=event["detail"]["bucket"]["name"],
        key=stored["key"],
        version_id=_version(stored.get("version-id")),
        etag=stored.get("etag") or "",
        size_bytes=stored.get("size") or 0,
    )
    return [_arrived(source, sequencer=stored.get("sequencer") or "")]


def _arrived(source: Source, *, sequencer: str) -> Arrived:
    version = object_version(source.version_id, etag=source.etag, sequencer=sequencer)
    return Arrived(upload_id(source.bucket, source.key, version), source)


def _version(version_id: str | None) -> str:
    """S3 calls the version of an object in a bucket without versions `null`, or leaves it out."""
    return "" if version_id in (None, "null") else version_id
