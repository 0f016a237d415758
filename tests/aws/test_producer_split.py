"""A shard splits, and others merge, in the middle of a file: each lane keeps its order."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from orders.aggregate import Aggregate
from orders.upload import lane_number_of
from producer_lambda.kinesis import KinesisStream
from producer_lambda.stream import HashRange
from tests.support.eventually import eventually
from tests.support.producer_world import World, consume, order_line, taken_apart

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

pytestmark = [pytest.mark.aws, pytest.mark.needs("node", "npm:kinesis-local")]

PACKAGE = Path(__file__).parents[1] / "node" / "node_modules" / "kinesis-local"
STREAM = "orders"
LANES = 8
IDS = 50
LINES = 3_000


@pytest.fixture
def kinesis() -> Iterator["KinesisClient"]:
    with closing(socket()) as plain, closing(socket()) as tls:
        for one in (plain, tls):
            one.bind(("127.0.0.1", 0))
        port, tls_port = plain.getsockname()[1], tls.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "KINESIS_MOCK_PLAIN_PORT": str(port),
        "KINESIS_MOCK_TLS_PORT": str(tls_port),
        "LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen(
        ["node", "main.js"], cwd=PACKAGE, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        client = boto3.client("kinesis", endpoint_url=f"http://127.0.0.1:{port}")
        eventually(lambda: _is_up(client), "an answer of the stream", seconds=30)
        client.create_stream(StreamName=STREAM, ShardCount=2)
        _wait_until_active(client)
        yield client
    finally:
        process.kill()  # it takes its time over SIGTERM
        process.wait(10)


class Resharding(KinesisStream):
    """The stream, split before the 80th put and merged again before the 240th."""

    def __init__(self, client: "KinesisClient") -> None:
        super().__init__(client, STREAM)
        self._kinesis = client
        self._puts = count(1)

    def put(self, aggregate: Aggregate, *, after: str) -> str:
        number = next(self._puts)
        if number == 80:
            self._split()
        elif number == 240:
            self._merge()
        return super().put(aggregate, after=after)

    def _split(self) -> None:
        for shard, keys in zip(_open_shards(self._kinesis), self.open_shards(), strict=True):
            self._kinesis.split_shard(
                StreamName=STREAM,
                ShardToSplit=shard["ShardId"],
                NewStartingHashKey=str((keys.first + keys.last) // 2),
            )
            _wait_until_active(self._kinesis)

    def _merge(self) -> None:
        _, second, third, _ = sorted(
            _open_shards(self._kinesis), key=lambda s: int(s["HashKeyRange"]["StartingHashKey"])
        )
        self._kinesis.merge_shards(
            StreamName=STREAM,
            ShardToMerge=second["ShardId"],
            AdjacentShardToMerge=third["ShardId"],
        )
        _wait_until_active(self._kinesis)


def test_lanes_keep_their_order_through_a_split_and_a_merge(kinesis: "KinesisClient") -> None:
    lines = {n: order_line(n % IDS, note=n) for n in range(1, LINES + 1)}
    world = World(lanes=LANES, aggregate_bytes=1_000, shard_bytes_per_second=10**9)
    world.bucket.chunk_bytes = 10_000
    world.stream = Resharding(kinesis)  # type: ignore[assignment]  # another RecordStream
    request = world.store(b"\n".join(lines.values()))

    with ThreadPoolExecutor(LANES) as world.putters:
        world.run(request)

    shards = kinesis.list_shards(StreamName=STREAM)["Shards"]
    assert len(shards) == 2 + 4 + 1
    records = [record for shard in _parents_first(shards) for record in _records(kinesis, shard)]
    seen = consume(records)
    assert seen.bodies == lines
    assert seen.repeats == 0
    assert len(seen.ends) == LANES
    for (_, lane), orders in seen.orders.items():
        assert {lane_number_of(f"order-{one.line % IDS}", LANES) for one in orders} == {lane}


def _records(kinesis: "KinesisClient", shard: "ShardTypeDef") -> Iterator[Aggregate]:
    """The records of a shard; every inner key lies in it, or KCL would drop them all."""
    keys = HashRange(
        int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"])
    )
    position: str | None = kinesis.get_shard_iterator(
        StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while position:
        page = kinesis.get_records(ShardIterator=position, Limit=100)
        for record in page["Records"]:
            inner = {hash_key for _, hash_key, _ in taken_apart(record["Data"])}
            assert all(keys.first <= int(key) <= keys.last for key in inner)
            yield Aggregate(record["PartitionKey"], inner.pop(), record["Data"], 0, 0, 0)
        position = page.get("NextShardIterator") if page["Records"] else None


def _parents_first(shards: "list[ShardTypeDef]") -> "list[ShardTypeDef]":
    """As KCL takes them: a shard after those that it came from."""
    by_id = {shard["ShardId"]: shard for shard in shards}

    def depth(shard: "ShardTypeDef") -> int:
        parents = [shard.get("ParentShardId"), shard.get("AdjacentParentShardId")]
        return max((1 + depth(by_id[one]) for one in parents if one), default=0)

    return sorted(shards, key=depth)


def _open_shards(kinesis: "KinesisClient") -> "list[ShardTypeDef]":
    shards = kinesis.list_shards(StreamName=STREAM)["Shards"]
    return [one for one in shards if "EndingSequenceNumber" not in one["SequenceNumberRange"]]


def _is_up(kinesis: "KinesisClient") -> bool:
    try:
        kinesis.list_streams()
    except BotoCoreError:
        return False
    return True


def _wait_until_active(kinesis: "KinesisClient") -> None:
    def active() -> bool:
        summary = kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]
        return summary["StreamStatus"] == "ACTIVE"

    eventually(active, seconds=30)
