"""How does S3 give an object's bytes, through broken connections?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from urllib3.exceptions import HTTPError

from producer_lambda.source import SourceLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

    from ledger.uploads.upload import Source
    from producer_lambda.clock import Clock

READ_BYTES = 131_072
"""One chunk, so also about one batch: some 800 orders."""
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


class S3Store:
    """An ObjectStore."""

    def __init__(self, client: S3Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def open_at(self, source: Source, offset: int) -> Iterator[bytes]:
        """See ObjectStore.open_at. A connection that breaks is opened again where it broke."""
        broken = 0
        while offset < source.size_bytes:
            try:
                body = self._get(source, offset)
                while chunk := body.read(READ_BYTES):
                    offset += len(chunk)
                    broken = 0
                    yield chunk
            except _BROKEN:
                broken += 1
                if broken == _TRIES:
                    raise
                self._clock.sleep(_WAIT_SECONDS * 2**broken)

    def _get(self, source: Source, offset: int) -> StreamingBody:
        request: GetObjectRequestTypeDef = {"Bucket": source.bucket, "Key": source.key}
        # By version where there is one; else a change in the middle of the file must be seen.
        if source.version_id:
            request["VersionId"] = source.version_id
        else:
            request["IfMatch"] = source.etag
        if offset:
            request["Range"] = f"bytes={offset}-"
        try:
            answer = self._client.get_object(**request)
        except ClientError as error:
            lost = _LOST.get(error.response["Error"]["Code"])
            if lost is None:
                raise
            raise SourceLost(lost) from error
        body = answer["Body"]
        if offset and not answer.get("ContentRange", "").startswith(f"bytes {offset}-"):
            # Some stores ignore a range: to take that for the rest would number lines wrongly.
            _pass_over(body, offset)
        return body

    def put_report(self, bucket: str, key: str, part: bytes) -> None:
        """See ObjectStore.put_report."""
        self._client.put_object(
            Bucket=bucket, Key=key, Body=part, ContentType="application/x-ndjson"
        )


def _pass_over(body: StreamingBody, count: int) -> None:
    while count and (passed := body.read(min(count, READ_BYTES))):
        count -= len(passed)
