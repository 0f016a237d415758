"""The order ids of uploads in the S3 bucket."""

from __future__ import annotations

from array import array
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orders.id_parts import ID_PREFIX, IdPart, id_part_of, read_id_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_s3 import S3Client

    from orders.id_hashes import Hashes

READS_AT_ONCE = 8
"""Parts in hand, of at most a few megabytes each."""


class S3IdParts:
    """An IdPartStore."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_id_part(self, part: IdPart, content: bytes) -> None:
        """See IdPartStore.put_id_part."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=part.key,
            Body=content,
            ContentType="application/octet-stream",
        )

    def id_parts(self) -> Sequence[IdPart]:
        """See IdPartStore.id_parts."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=ID_PREFIX
        )
        listed = [
            (entry["LastModified"], part)
            for page in pages
            for entry in page.get("Contents", [])
            if (part := id_part_of(entry["Key"]))
        ]
        listed.sort(key=lambda one: one[0], reverse=True)
        return [part for _, part in listed]

    def read_id_parts(self, parts: Sequence[IdPart]) -> Iterator[Hashes]:
        """See IdPartStore.read_id_parts."""
        if len(parts) == 1:
            yield self._read(parts[0])
            return
        with ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="id-part") as threads:
            for first in range(0, len(parts), READS_AT_ONCE):
                some = parts[first : first + READS_AT_ONCE]
                yield from threads.map(self._read, some)

    def _read(self, part: IdPart) -> Hashes:
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=part.key)["Body"]
        except ClientError as error:
            if (
                error.response["Error"]["Code"] == "NoSuchKey"
            ):  # kept long enough since it was listed
                return array("Q")
            raise
        return read_id_part(body.read())
