"""How does Kinesis take records?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from producer_lambda.stream import HashRange, StreamRefused, StreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_kinesis import KinesisClient

    from orders.aggregate import Aggregate

_HINTS = {
    "ResourceNotFoundException": "no such stream: check ORDERS_STREAM and the region",
    "AccessDeniedException": "the function's role may not write to it",
    "InvalidArgumentException": "the records break a limit of the stream",
    "ValidationException": "the records break a limit of the stream",
    "KMSAccessDeniedException": "the function's role may not use the stream's KMS key",
    "KMSDisabledException": "the stream's KMS key is disabled",
    "KMSInvalidStateException": "the stream's KMS key cannot be used",
    "KMSNotFoundException": "the stream's KMS key is gone",
    "KMSOptInRequired": "the account may not use KMS",
    "UnrecognizedClientException": "the credentials are not valid",
}


class KinesisStream:
    """A RecordStream."""

    def __init__(self, client: KinesisClient, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, aggregates: Sequence[Aggregate]) -> Sequence[str | None]:
        """See RecordStream.put."""
        try:
            answer = self._client.put_records(
                StreamName=self._name,
                Records=[
                    {
                        "Data": aggregate.payload,
                        "PartitionKey": aggregate.partition_key,
                        "ExplicitHashKey": aggregate.hash_key,
                    }
                    for aggregate in aggregates
                ],
            )
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from error
        return [entry.get("ErrorCode") for entry in answer["Records"]]

    def open_shards(self) -> Sequence[HashRange]:
        """See RecordStream.open_shards."""
        try:
            pages = self._client.get_paginator("list_shards").paginate(
                StreamName=self._name, ShardFilter={"Type": "AT_LATEST"}
            )
            shards = [shard for page in pages for shard in page["Shards"]]
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from error
        return [
            HashRange(
                int(shard["HashKeyRange"]["StartingHashKey"]),
                int(shard["HashKeyRange"]["EndingHashKey"]),
            )
            for shard in shards
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
        ]

    def _failure(self, error: ClientError | BotoCoreError) -> StreamUnavailable | StreamRefused:
        text = f"stream {self._name}: {error}"
        if isinstance(error, ClientError):
            hint = _HINTS.get(error.response["Error"]["Code"])
            if hint:
                return StreamRefused(text, hint=hint)
        return StreamUnavailable(text)
