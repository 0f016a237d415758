"""The stream, as botocore answers for it; the Stubber stands for what no emulator does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from orders.aggregate import Aggregate
from producer_lambda.kinesis import KinesisStream
from producer_lambda.stream import HashRange, StreamRefused, StreamUnavailable

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

RECORDS = [Aggregate(f"u/{n}", str(n), b"payload", 1, 1, 1) for n in range(3)]


@contextmanager
def stubbed() -> Iterator[tuple[KinesisStream, Stubber]]:
    client: KinesisClient = boto3.client("kinesis")
    with Stubber(client) as stubber:
        yield KinesisStream(client, "stream"), stubber
        stubber.assert_no_pending_responses()


def test_a_record_goes_out_under_the_hash_key_of_its_lane() -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_response(
            "put_records",
            {"Records": [{"SequenceNumber": "1", "ShardId": "s"}]},
            {
                "StreamName": "stream",
                "Records": [{"Data": b"payload", "PartitionKey": "u/0", "ExplicitHashKey": "0"}],
            },
        )

        assert stream.put(RECORDS[:1]) == [None]


def test_each_record_has_an_answer_of_its_own() -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_response(
            "put_records",
            {
                "FailedRecordCount": 1,
                "Records": [
                    {"SequenceNumber": "1", "ShardId": "s"},
                    {"ErrorCode": "InternalFailure", "ErrorMessage": "x"},
                    {"SequenceNumber": "2", "ShardId": "s"},
                ],
            },
        )

        assert stream.put(RECORDS) == [None, "InternalFailure", None]


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "KMSThrottlingException", "InternalFailure", "503"],
)
def test_a_call_that_may_work_later_is_told_apart(code: str) -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_client_error("put_records", code)

        with pytest.raises(StreamUnavailable, match="stream stream: "):
            stream.put(RECORDS)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("ResourceNotFoundException", "ORDERS_STREAM"),
        ("AccessDeniedException", "role"),
        ("KMSDisabledException", "KMS"),
    ],
)
def test_a_call_that_can_never_work_comes_with_a_hint(code: str, hint: str) -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_client_error("put_records", code)

        with pytest.raises(StreamRefused, match=hint):
            stream.put(RECORDS)


def test_only_open_shards_take_records() -> None:
    def shard(name: str, first: int, last: int, *, is_open: bool) -> dict[str, object]:
        numbers = {"StartingSequenceNumber": "1"}
        return {
            "ShardId": name,
            "HashKeyRange": {"StartingHashKey": str(first), "EndingHashKey": str(last)},
            "SequenceNumberRange": numbers if is_open else numbers | {"EndingSequenceNumber": "2"},
        }

    with stubbed() as (stream, kinesis):
        kinesis.add_response(
            "list_shards",
            {
                "Shards": [
                    shard("parent", 0, 9, is_open=False),
                    shard("left", 0, 4, is_open=True),
                    shard("right", 5, 9, is_open=True),
                ]
            },
        )

        assert stream.open_shards() == [HashRange(0, 4), HashRange(5, 9)]
