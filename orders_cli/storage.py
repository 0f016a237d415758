"""How are files stored in, and read from, the upload bucket?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from ledger.uploads.upload import Source
from orders.formats import SourceUnreadable
from orders.plain_text import OpenAt
from orders.upload import UploadId, upload_id
from orders_cli.failures import SettingWrong

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 1 << 18
PRECONDITION_FAILED = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_NOT_FOUND = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of the bucket, in the version that was meant."""

    source: Source

    @property
    def upload(self) -> UploadId:
        """The upload that this object is."""
        source = self.source
        return upload_id(source.bucket, source.key, source.version_id)


class Storage:
    """The upload bucket. Errors of AWS pass through as botocore raises them."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def put_once(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Store an object unless one is there. False: one was there."""
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in PRECONDITION_FAILED:
                return False
            raise
        return True

    def find(self, key: str) -> Stored | None:
        """The object under a key, None where there is none. Raises SettingWrong."""
        try:
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_FOUND:
                return None
            raise
        version = head.get("VersionId")
        if not version or version == "null":
            raise SettingWrong(
                f"The bucket {self.bucket} (ORDERS_BUCKET) keeps no versions;",
                hint="switch versioning on, as infra/pipeline.yaml does.",
            )
        return Stored(Source(self.bucket, key, version, head["ETag"], head["ContentLength"]))

    def read(self, key: str) -> bytes | None:
        """The bytes under a key, None where there is none."""
        try:
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_FOUND:
                return None
            raise

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"]

    def opener(self, source: Source) -> OpenAt:
        """Opens that very version of an object from an offset on.

        Opening raises SourceUnreadable where the version is gone.
        """

        def open_at(offset: int) -> Iterator[bytes]:
            if offset >= source.size_bytes:
                return iter(())
            try:
                answer = self._client.get_object(
                    Bucket=source.bucket,
                    Key=source.key,
                    VersionId=source.version_id,
                    Range=f"bytes={offset}-",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in _NOT_FOUND:
                    raise SourceUnreadable(f"{source.key} is gone", line=1) from error
                raise
            body = answer["Body"]
            if not answer.get("ContentRange", "").startswith(f"bytes {offset}-"):
                # Some stores ignore a range: to take that for the rest would number lines wrongly.
                _pass_over(body, offset)
            return body.iter_chunks(_CHUNK_BYTES)

        return open_at


def _pass_over(body: "StreamingBody", count: int) -> None:
    """Read so many bytes and forget them."""
    while count > 0 and (chunk := body.read(min(count, _CHUNK_BYTES))):
        count -= len(chunk)
