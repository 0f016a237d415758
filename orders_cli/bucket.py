"""The bucket that takes the uploads and keeps the reports."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from ledger.uploads.upload import Source
from orders.formats import SourceUnreadable
from orders.plain_text import OpenAt
from orders.upload import UploadId, upload_id
from orders_cli.failures import SettingWrong
from producer_lambda.object_store import SourceLost
from producer_lambda.s3 import read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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


class UploadBucket:
    """The upload bucket. Errors of AWS pass through as botocore raises them."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self.client = client
        self.name = name

    def put_once(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Store an object unless one is there. False: one was there."""
        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in PRECONDITION_FAILED:
                return False
            raise
        return True

    def find(self, key: str) -> Stored | None:
        """The object under a key, None where there is none. Raises SettingWrong."""
        try:
            head = self.client.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_FOUND:
                return None
            raise
        version = head.get("VersionId")
        if not version or version == "null":
            raise without_versions(self.name)
        return Stored(Source(self.name, key, version, head["ETag"], head["ContentLength"]))

    def keeps_versions(self) -> bool:
        """Is versioning enabled?"""
        return self.client.get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled"

    def read(self, key: str) -> bytes | None:
        """The bytes under a key, None where there is none."""
        try:
            return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_FOUND:
                return None
            raise

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix, in order."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"]

    def opener(self, source: Source) -> OpenAt:
        """Opens that very version of an object at an offset.

        Its iterator raises SourceUnreadable where the version is gone.
        """

        def open_at(offset: int) -> Iterator[bytes]:
            try:
                yield from read_object(self.client, source, offset)
            except SourceLost as lost:
                raise SourceUnreadable(f"{source.key} is gone", line=1) from lost

        return open_at


def without_versions(bucket: str) -> SettingWrong:
    """The failure of a bucket without versions: an upload is one version of an object."""
    return SettingWrong(
        f"The bucket {bucket} (ORDERS_BUCKET) keeps no versions;",
        hint="enable versioning, as infra/pipeline.yaml does.",
    )
