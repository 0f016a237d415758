"""Putting records on a Kinesis stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from producer_lambda.stream import (
    HashRange,
    OrderingRefused,
    StreamRefused,
    StreamThrottled,
    StreamUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordInputTypeDef

    from orders.aggregate import Aggregate

_THROTTLED = "ProvisionedThroughputExceededException"
_INVALID = "InvalidArgumentException"
_HINTS = {
    "ResourceNotFoundException": "no such stream: check ORDERS_STREAM and the region",
    "AccessDeniedException": "the function's role may not write to it",
    _INVALID: "the records break a limit of the stream",
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

    def put(self, aggregate: Aggregate, *, after: str) -> str:
        """See RecordStream.put."""
        request: PutRecordInputTypeDef = {
            "StreamName": self._name,
            "Data": aggregate.payload,
            "PartitionKey": aggregate.partition_key,
            "ExplicitHashKey": aggregate.hash_key,
        }
        if after:
            request["SequenceNumberForOrdering"] = after
        try:
            return self._client.put_record(**request)["SequenceNumber"]
        except (ClientError, BotoCoreError) as error:
            # The number is probably what is invalid: a second try without it shows whether there is
            # another reason.
            if after and _code(error) == _INVALID:
                raise OrderingRefused(f"stream {self._name}: {error}") from error
            raise self._failure(error) from error

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
        text, code = f"stream {self._name}: {error}", _code(error)
        hint = _HINTS.get(code)
        if hint:
            return StreamRefused(text, hint=hint)
        return StreamThrottled(text) if code == _THROTTLED else StreamUnavailable(text)


def _code(error: ClientError | BotoCoreError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
