"""The bucket, as botocore answers for it; the Stubber stands for what no emulator does."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from ledger.uploads.upload import Source
from producer_lambda.object_store import SourceLost
from producer_lambda.s3 import S3Store
from tests.support.producer_world import HeldClock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONTENT = bytes(range(256)) * 4
SOURCE = Source("bucket", "uploads/a.jsonl", "v1", "etag", len(CONTENT))
GET = {"Bucket": "bucket", "Key": "uploads/a.jsonl", "VersionId": "v1"}


class Breaking(BytesIO):
    """A connection that breaks after some bytes."""

    def __init__(self, content: bytes, after: int) -> None:
        super().__init__(content[:after])

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        if not chunk:
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
        return chunk


@contextmanager
def stubbed() -> Iterator[tuple[S3Store, Stubber]]:
    client: S3Client = boto3.client("s3")
    with Stubber(client) as stubber:
        yield S3Store(client, sleep=HeldClock().sleep), stubber
        stubber.assert_no_pending_responses()


def answer(content: bytes, offset: int = 0, body: BytesIO | None = None) -> dict[str, Any]:
    length = len(content) - offset
    given: dict[str, Any] = {"Body": StreamingBody(body or BytesIO(content[offset:]), length)}
    if offset:
        given["ContentRange"] = f"bytes {offset}-{len(content) - 1}/{len(content)}"
    return given


def test_an_object_is_read_by_its_version() -> None:
    with stubbed() as (store, s3):
        s3.add_response("get_object", answer(CONTENT), GET)

        assert b"".join(store.open_at(SOURCE, 0)) == CONTENT


def test_without_versions_it_must_still_be_the_same_object() -> None:
    with stubbed() as (store, s3):
        wanted = {"Bucket": "bucket", "Key": "uploads/a.jsonl", "IfMatch": "etag"}
        s3.add_response("get_object", answer(CONTENT), wanted)

        assert b"".join(store.open_at(Source("bucket", "uploads/a.jsonl", "", "etag", 9), 0))


def test_reading_continues_where_a_connection_broke() -> None:
    with stubbed() as (store, s3):
        s3.add_response("get_object", answer(CONTENT, body=Breaking(CONTENT, 100)), GET)
        s3.add_response("get_object", answer(CONTENT, 100), GET | {"Range": "bytes=100-"})

        assert b"".join(store.open_at(SOURCE, 0)) == CONTENT


def test_a_connection_that_breaks_again_and_again_is_an_error() -> None:
    with stubbed() as (store, s3):
        for _ in range(5):
            s3.add_response("get_object", answer(CONTENT, body=Breaking(CONTENT, 0)), GET)

        with pytest.raises(ReadTimeoutError):
            list(store.open_at(SOURCE, 0))


def test_a_store_that_ignores_the_range_does_not_shift_the_bytes() -> None:
    with stubbed() as (store, s3):
        s3.add_response("get_object", answer(CONTENT), GET | {"Range": "bytes=300-"})

        assert b"".join(store.open_at(SOURCE, 300)) == CONTENT[300:]


def test_nothing_is_requested_beyond_the_end() -> None:
    with stubbed() as (store, _):
        assert list(store.open_at(SOURCE, len(CONTENT))) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("NoSuchKey", "the object is gone from the bucket"),
        ("NoSuchVersion", "this version of the object is gone from the bucket"),
        ("NoSuchBucket", "the bucket is gone"),
        ("MethodNotAllowed", "this version of the object is a delete marker"),
        ("PreconditionFailed", "the object was replaced by another one"),
    ],
)
def test_an_object_that_is_gone_is_lost_for_a_reason(code: str, reason: str) -> None:
    with stubbed() as (store, s3):
        s3.add_client_error("get_object", code)

        with pytest.raises(SourceLost) as caught:
            list(store.open_at(SOURCE, 0))

    assert caught.value.reason == reason


def test_one_that_may_not_be_read_is_an_error_and_not_lost() -> None:
    with stubbed() as (store, s3):
        s3.add_client_error("get_object", "AccessDenied")

        with pytest.raises(ClientError):
            list(store.open_at(SOURCE, 0))
