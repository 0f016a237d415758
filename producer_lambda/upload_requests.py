"""Which uploads does an event ask the producer to read: new ones, or the rest of one?"""

import json
from dataclasses import dataclass

from ledger.uploads.upload import Source
from orders.s3_event import EventUnknown, created_objects
from orders.upload import UploadId

_CONTINUE = "continue_upload"


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """An upload to read. source: the new object; None to read the rest of a known upload."""

    upload: UploadId
    source: Source | None = None


def continue_message(upload: UploadId) -> str:
    """The message that asks for the rest of an upload."""
    return json.dumps({_CONTINUE: upload})


def requests_of_message(body: str) -> list[UploadRequest]:
    """The requests in a message of the intake queue. Raises EventUnknown."""
    try:
        event = json.loads(body)
    except ValueError as error:
        raise EventUnknown(f"a message is not JSON: {body[:200]!r}") from error
    return requests_of_event(event)


def requests_of_event(event: object) -> list[UploadRequest]:
    """The requests in an event that does not come from a queue. Raises EventUnknown."""
    if isinstance(event, dict) and _CONTINUE in event:
        return [UploadRequest(UploadId(str(event[_CONTINUE])))]
    requests = []
    for one in created_objects(event):
        source = Source(one.bucket, one.key, one.version_id, one.etag, one.size_bytes)
        requests.append(UploadRequest(one.upload, source))
    return requests
