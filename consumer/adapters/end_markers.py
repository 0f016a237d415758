"""Putting a lane's end marker on the Kinesis stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from consumer.closing.closer import MarkerNotPut
from orders.envelope import encode_end
from orders.upload import lane_hash_key, partition_key

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

    from ledger.uploads.lane import LaneKey
    from ledger.uploads.upload import LaneTail


class KinesisEndMarkers:
    """EndMarkers."""

    def __init__(self, client: KinesisClient, stream: str) -> None:
        self._client = client
        self._stream = stream

    def put_end(self, key: LaneKey, *, lanes: int, tail: LaneTail) -> None:
        """See EndMarkers.put_end. A single record: KCL reads it as well as aggregates."""
        try:
            self._client.put_record(
                StreamName=self._stream,
                PartitionKey=partition_key(key.upload, key.lane),
                ExplicitHashKey=lane_hash_key(key.upload, key.lane, lanes),
                Data=encode_end(tail.line, tail.ordinal),
            )
        except (ClientError, BotoCoreError) as error:
            raise MarkerNotPut(
                f"the end marker of lane {key.lane} is not on stream {self._stream}: {error}",
                hint="the consumer's role needs kinesis:PutRecord on it; it is tried again",
            ) from error
