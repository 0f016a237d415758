"""The real Lambda is killed in the middle of a file; the API still receives each order once."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from consumer.worker.proc import command_line, descendants
from orders.aggregate import Aggregate
from orders.upload import UploadId
from sandbox.running import running_sandbox
from tests import promises
from tests.support.command_desk import LIMIT_SECONDS, Desk, order_line
from tests.support.eventually import eventually
from tests.support.producer_world import consume, taken_apart

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.kcl, pytest.mark.slow]

LINES = {number: order_line(number) for number in range(1, 5_001)}
SHARD_BYTES_PER_SECOND = "100000"
"""One record of 200 kB fills two seconds: time enough to kill between the second and the third."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORDERS_SHARD_BYTES_PER_SECOND", SHARD_BYTES_PER_SECOND)
        folder = tmp_path_factory.mktemp("producer") / "sandbox"
        with running_sandbox(folder, ["--rate", "none"]) as up:
            yield Desk(up)


def kinesis(desk: Desk) -> "KinesisClient":
    return boto3.client(
        "kinesis",
        endpoint_url=desk.environment["AWS_ENDPOINT_URL"],
        region_name=desk.environment["AWS_REGION"],
    )


def records(desk: Desk, upload: UploadId) -> list[Aggregate]:
    """The records of the stream that belong to the upload, in the stream's order."""
    client, stream = kinesis(desk), desk.environment["ORDERS_STREAM"]
    [shard] = client.list_shards(StreamName=stream)["Shards"]
    place: str | None = client.get_shard_iterator(
        StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found: list[Aggregate] = []
    while place:
        page = client.get_records(ShardIterator=place)
        for record in page["Records"]:
            key, payload = record["PartitionKey"], record["Data"]
            if key.startswith(upload):
                (_, hash_key, _), *_ = taken_apart(payload)
                found.append(Aggregate(key, hash_key, payload, 0, 0, 0))
        place = page["NextShardIterator"] if page["Records"] else None
    return found


def lambda_pids(desk: Desk) -> list[int]:
    """The processes in which the embedded AWS runs our function."""
    [aws] = desk.pids()["aws"]
    return [pid for pid in descendants(aws) if "orders-producer" in " ".join(command_line(pid))]


def test_a_producer_killed_after_its_second_record_repeats_at_most_one(
    desk: Desk, tmp_path: Path
) -> None:
    upload = desk.upload(tmp_path, "killed.jsonl", b"\n".join(LINES.values()))
    eventually(
        lambda: len(records(desk, upload)) >= 2,
        "two records on the stream",
        seconds=LIMIT_SECONDS,
    )
    pids = lambda_pids(desk)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    at_the_kill = len(records(desk, upload))

    ended = desk.until_over(upload)

    stored = records(desk, upload)
    on_stream = consume(stored)
    seen = desk.observed(upload, LINES)
    assert pids
    assert at_the_kill < len(stored)
    assert ended["state"] == "done"
    assert on_stream.bodies == LINES
    assert on_stream.repeats <= max(len(list(taken_apart(one.payload))) for one in stored)
    assert len(seen.requests) == len(LINES)
    promises.nothing_is_lost(seen)
    promises.repeats_are_bounded(seen)
    promises.order_is_kept(seen, whole_file=False)
