"""Reading a version of an S3 object from any offset, across broken connections."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from urllib3.exceptions import HTTPError

from producer_lambda.object_store import SourceLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

    from ledger.uploads.upload import Source

READ_BYTES = 131_072
"""One chunk: about 800 orders."""
_TRIES = 5
_WAIT_SECONDS = 0.2

_LOST = {
    "NoSuchKey": "the object is gone from the bucket",
    "NoSuchVersion": "this version of the object is gone from the bucket",
    "NoSuchBucket": "the bucket is gone",
    "MethodNotAllowed": "this version of the object is a delete marker",
    "PreconditionFailed": "the object was replaced by another one",
    "404": "the object is gone from the bucket",
    "412": "the object was replaced by another one",
}
_BROKEN = (IncompleteReadError, ResponseStreamingError, HTTPClientError, HTTPError, ConnectionError)


def read_object(
    client: S3Client, source: Source, offset: int, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """The bytes of exactly this version from `offset` on; none at or beyond its end.

    A connection that breaks is reopened where it broke. Raises SourceLost, and what botocore
    raises otherwise.
    """
    broken = 0
    while offset < source.size_bytes:
        try:
            body = _open(client, source, offset)
            while chunk := body.read(READ_BYTES):
                offset += len(chunk)
                broken = 0
                yield chunk
        except _BROKEN:
            broken += 1
            if broken == _TRIES:
                raise
            sleep(_WAIT_SECONDS * 2**broken)


def _open(client: S3Client, source: Source, offset: int) -> StreamingBody:
    request: GetObjectRequestTypeDef = {"Bucket": source.bucket, "Key": source.key}
    # By version where there is one; otherwise a change in the middle of the file must be noticed.
    if source.version_id:
        request["VersionId"] = source.version_id
    else:
        request["IfMatch"] = source.etag
    if offset:
        request["Range"] = f"bytes={offset}-"
    try:
        response = client.get_object(**request)
    except ClientError as error:
        reason = _LOST.get(error.response["Error"]["Code"])
        if reason is None:
            raise
        raise SourceLost(reason) from error
    body = response["Body"]
    if offset and not response.get("ContentRange", "").startswith(f"bytes {offset}-"):
        # Some stores ignore a range: without skipping, lines would be numbered wrongly.
        _skip_bytes(body, offset)
    return body


def _skip_bytes(body: StreamingBody, count: int) -> None:
    while count and (skipped := body.read(min(count, READ_BYTES))):
        count -= len(skipped)


class S3Store:
    """An ObjectStore."""

    def __init__(self, client: S3Client, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def open_at(self, source: Source, offset: int) -> Iterator[bytes]:
        """See ObjectStore.open_at."""
        return read_object(self._client, source, offset, sleep=self._sleep)

    def put_report(self, bucket: str, key: str, part: bytes) -> None:
        """See ObjectStore.put_report."""
        self._client.put_object(
            Bucket=bucket, Key=key, Body=part, ContentType="application/x-ndjson"
        )
