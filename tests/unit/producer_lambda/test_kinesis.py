"""The stream, as botocore answers for it; the Stubber stands for what no emulator does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from orders.aggregate import Aggregate
from producer_lambda.kinesis import KinesisStream
from producer_lambda.stream import (
    HashRange,
    OrderingRefused,
    StreamRefused,
    StreamThrottled,
    StreamUnavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

RECORD = Aggregate("u/0", "7", b"payload", 1, 1, 1)
PARAMETERS = {
    "StreamName": "stream",
    "Data": b"payload",
    "PartitionKey": "u/0",
    "ExplicitHashKey": "7",
}
ANSWER = {"SequenceNumber": "49", "ShardId": "s"}


@contextmanager
def stubbed() -> Iterator[tuple[KinesisStream, Stubber]]:
    client: KinesisClient = boto3.client("kinesis")
    with Stubber(client) as stubber:
        yield KinesisStream(client, "stream"), stubber
        stubber.assert_no_pending_responses()


def test_a_first_record_goes_out_under_the_hash_key_of_its_lane() -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_response("put_record", ANSWER, PARAMETERS)

        assert stream.put(RECORD, after="") == "49"


def test_a_later_one_names_the_record_before_it() -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_response("put_record", ANSWER, PARAMETERS | {"SequenceNumberForOrdering": "48"})

        assert stream.put(RECORD, after="48") == "49"


@pytest.mark.parametrize("code", ["KMSThrottlingException", "InternalFailure", "503"])
def test_a_put_that_may_work_later_is_distinguished(code: str) -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_client_error("put_record", code)

        with pytest.raises(StreamUnavailable, match="stream stream: "):
            stream.put(RECORD, after="48")


def test_a_throttled_shard_is_recognized() -> None:
    with stubbed() as (stream, kinesis):
        kinesis.add_client_error("put_record", "ProvisionedThroughputExceededException")

        with pytest.raises(StreamThrottled):
            stream.put(RECORD, after="48")


def test_an_invalid_argument_is_the_sequence_number_where_there_is_one() -> None:
    with stubbed() as (stream, kinesis):
        for _ in range(2):
            kinesis.add_client_error("put_record", "InvalidArgumentException")

        with pytest.raises(OrderingRefused):
            stream.put(RECORD, after="48")
        with pytest.raises(StreamRefused, match="limit"):
            stream.put(RECORD, after="")


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
        kinesis.add_client_error("put_record", code)

        with pytest.raises(StreamRefused, match=hint):
            stream.put(RECORD, after="")


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
