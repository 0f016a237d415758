"""A file is reported as not stored only where nothing can be stored any more."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from ledger.uploads.upload import Source
from orders_cli.bucket import Stored
from orders_cli.store_once import PAUSES_SECONDS, StoredInDoubt, find_late, may_be_stored

if TYPE_CHECKING:
    from orders_cli.bucket import UploadBucket

KEY = "uploads/march.jsonl"
LOST = ReadTimeoutError(endpoint_url="https://s3")


def answered(status: int, code: str) -> ClientError:
    metadata = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "PutObject")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        ConnectionClosedError(endpoint_url="https://s3"),
        SSLError(endpoint_url="https://s3", error=OSError("bad record")),
        answered(500, "InternalError"),
        answered(503, "SlowDown"),
        answered(412, "PreconditionFailed"),
        answered(409, "ConditionalRequestConflict"),
    ],
)
def test_a_call_without_a_clear_answer_may_have_stored_the_file(error: Exception) -> None:
    assert may_be_stored(error)


@pytest.mark.parametrize(
    "error",
    [
        answered(403, "AccessDenied"),
        answered(404, "NoSuchBucket"),
        EndpointConnectionError(endpoint_url="https://s3"),
        ConnectTimeoutError(endpoint_url="https://s3"),
        NoCredentialsError(),
    ],
)
def test_a_refusal_and_a_connection_that_never_was_store_nothing(error: Exception) -> None:
    assert not may_be_stored(error)


@dataclass
class LateBucket:
    """A bucket that has the file after so many seconds."""

    after_seconds: float
    waited: list[float] = field(default_factory=list)

    def find(self, key: str) -> Stored | None:
        if sum(self.waited) < self.after_seconds:
            return None
        return Stored(Source("bucket", key, "v", "e", 1))

    def find_late(self) -> Stored:
        return find_late(cast("UploadBucket", self), KEY, LOST, wait=self.waited.append)


@pytest.mark.parametrize("after_seconds", [0.0, 1.0, sum(PAUSES_SECONDS)])
def test_a_file_that_appears_within_seconds_is_found(after_seconds: float) -> None:
    assert LateBucket(after_seconds).find_late().source.key == KEY


def test_nobody_waits_for_a_file_that_is_there() -> None:
    bucket = LateBucket(0.0)
    bucket.find_late()

    assert bucket.waited == []


def test_a_file_that_does_not_appear_is_named_as_one_that_still_may() -> None:
    bucket = LateBucket(60.0)

    with pytest.raises(StoredInDoubt, match=rf"{KEY}.* may still appear.*`orders uploads`"):
        bucket.find_late()

    assert sum(bucket.waited) == pytest.approx(sum(PAUSES_SECONDS))


def test_ctrl_c_while_looking_does_not_make_the_file_one_that_was_not_stored() -> None:
    def ctrl_c(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(StoredInDoubt, match="may still appear"):
        find_late(cast("UploadBucket", LateBucket(60.0)), KEY, LOST, wait=ctrl_c)
