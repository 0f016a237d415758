"""Parse S3's events about new objects, whichever way they travel.

S3 sends them to a queue or function as `Records`, with URL-encoded keys; EventBridge wraps each in
an event of its own, whose key is not encoded. A queue carries either as the text of a message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from orders.upload import UploadId, object_version, upload_id


class EventUnknown(Exception):
    """An event is not about objects of S3, or lacks a part."""


@dataclass(frozen=True, slots=True)
class CreatedObject:
    """An object that was stored. version_id: empty where the bucket is not versioned."""

    upload: UploadId
    bucket: str
    key: str
    version_id: str
    etag: str
    size_bytes: int


def created_objects(event: object) -> list[CreatedObject]:
    """The objects that an event says were stored; none for other S3 events. Raises EventUnknown."""
    try:
        match event:
            case {"Event": "s3:TestEvent"}:
                return []
            case {"Records": records}:
                return [
                    _created(one["s3"], etag="eTag", version="versionId", is_encoded=True)
                    for one in records
                    if one["eventName"].startswith("ObjectCreated:")
                ]
            case {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}:
                return [_created(detail, etag="etag", version="version-id", is_encoded=False)]
            case {"source": "aws.s3", "detail": _}:
                return []
            case _:
                raise EventUnknown(f"not an event about uploads: {str(event)[:200]}")
    except (KeyError, TypeError, AttributeError) as error:
        raise EventUnknown(f"an S3 event lacks {error}: {str(event)[:200]}") from error


def _created(
    about: Mapping[str, Any], *, etag: str, version: str, is_encoded: bool
) -> CreatedObject:
    bucket, stored = about["bucket"]["name"], about["object"]
    key = unquote_plus(stored["key"]) if is_encoded else stored["key"]
    version_id = stored.get(version) or ""
    if version_id == "null":  # S3's name for the version in a bucket without versioning
        version_id = ""
    tag = stored.get(etag) or ""
    name = object_version(version_id, etag=tag, sequencer=stored.get("sequencer") or "")
    size_bytes = int(stored["size"])  # without it, an upload would pass for an empty file
    return CreatedObject(upload_id(bucket, key, name), bucket, key, version_id, tag, size_bytes)
