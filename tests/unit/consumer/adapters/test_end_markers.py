"""How does a lane's end marker come to stand on the stream?"""

import boto3
import pytest
from moto import mock_aws

from consumer.adapters.end_markers import KinesisEndMarkers
from consumer.closing.closer import MarkerNotPut
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.upload import LaneTail
from orders.envelope import EndMarker, decode
from orders.upload import UploadId, lane_hash_key

KEY = LaneKey(UploadId("0123456789abcdef0123"), LaneNumber(2))


def test_a_marker_comes_out_of_the_shard_of_its_lane_as_the_producer_would_have_put_it() -> None:
    with mock_aws():
        kinesis = boto3.client("kinesis")
        kinesis.create_stream(StreamName="stream", ShardCount=4)

        KinesisEndMarkers(kinesis, "stream").put_end(KEY, lanes=3, tail=LaneTail(40, 17))

        shards = kinesis.list_shards(StreamName="stream")["Shards"]
        found = []
        for shard in shards:
            iterator = kinesis.get_shard_iterator(
                StreamName="stream", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            records = kinesis.get_records(ShardIterator=iterator)["Records"]
            found += [(shard["HashKeyRange"], record) for record in records]
        ((hashes, record),) = found
        assert decode(record["PartitionKey"], record["Data"]) == EndMarker(*KEY, 40, 17)
        key = int(lane_hash_key(KEY.upload, KEY.lane, 3))
        assert int(hashes["StartingHashKey"]) <= key <= int(hashes["EndingHashKey"])


def test_a_stream_that_cannot_be_written_to_is_told_of_with_what_to_do() -> None:
    with mock_aws():
        markers = KinesisEndMarkers(boto3.client("kinesis"), "elsewhere")

        with pytest.raises(MarkerNotPut, match="lane 2") as told:
            markers.put_end(KEY, lanes=3, tail=LaneTail(40, 17))

    assert "kinesis:PutRecord" in told.value.hint
