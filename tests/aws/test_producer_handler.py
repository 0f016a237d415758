"""The handler in this process, against an AWS in memory (moto)."""

import json
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from moto import mock_aws
from moto.kinesis.models import Shard

from ledger.dynamodb.connect import open_ledger
from ledger.uploads.upload import Account
from orders.aggregate import Aggregate
from orders.rule_errors import RulesWrong
from producer_lambda import handler as entry
from tests.support.producer_world import Seen, consume, order_line, taken_apart

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef

pytestmark = pytest.mark.aws

BUCKET, STREAM, TABLE = "bucket", "stream", "ledger"
LINES = [order_line(number) for number in range(1, 201)]


class Context:
    """What Lambda tells a run about itself."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "1"

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class Pipeline:
    """The outside world of the function."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.sqs = boto3.client("sqs")
        self.kinesis = boto3.client("kinesis")
        self.ledger = open_ledger(TABLE)
        self.queue_url = self.sqs.create_queue(QueueName="intake")["QueueUrl"]
        region = {"LocationConstraint": "eu-central-1"}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)  # type: ignore[arg-type]
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.kinesis.create_stream(StreamName=STREAM, ShardCount=2)
        boto3.client("dynamodb").create_table(**ledger_table())

    def store(self, content: bytes, key: str = "uploads/a b.jsonl") -> dict[str, Any]:
        """Put an object; the event that S3 would send."""
        stored = self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        named = {
            "key": key.replace(" ", "+"),
            "size": len(content),
            "eTag": stored["ETag"].strip('"'),
            "versionId": stored["VersionId"],
            "sequencer": "1",
        }
        created = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}
        return {"Records": [created | {"s3": {"bucket": {"name": BUCKET}, "object": named}}]}

    def seen(self) -> Seen:
        """What a consumer of the whole stream sees."""
        records: list[Aggregate] = []
        for shard in self.kinesis.list_shards(StreamName=STREAM)["Shards"]:
            iterator = self.kinesis.get_shard_iterator(
                StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            for record in self.kinesis.get_records(ShardIterator=iterator)["Records"]:
                (_, hash_key, _), *_ = taken_apart(record["Data"])
                records.append(Aggregate(record["PartitionKey"], hash_key, record["Data"], 0, 0, 0))
        return consume(records)

    def account(self) -> Account:
        """The one upload there is."""
        (account,) = [*self.ledger.open_accounts(), *self.ledger.ended_accounts(since=0.0)]
        return account


def ledger_table() -> "CreateTableInputTypeDef":
    names = ("pk", "sk", "listing", "listed_at")
    return {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in names],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "listing",
                "KeySchema": [
                    {"AttributeName": "listing", "KeyType": "HASH"},
                    {"AttributeName": "listed_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    }


def _put_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two records put at the same time get one number in moto, and only one of them is kept."""
    lock, put = Lock(), Shard.put_record

    def put_alone(shard: Shard, *args: str) -> str:
        with lock:
            return put(shard, *args)

    monkeypatch.setattr(Shard, "put_record", put_alone)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    with mock_aws():
        world = Pipeline()
        monkeypatch.setenv("ORDERS_BUCKET", BUCKET)
        monkeypatch.setenv("ORDERS_STREAM", STREAM)
        monkeypatch.setenv("ORDERS_LEDGER_TABLE", TABLE)
        monkeypatch.setenv("ORDERS_INTAKE_QUEUE_URL", world.queue_url)
        monkeypatch.setenv("ORDERS_LANES", "3")
        entry.producer.cache_clear()
        _put_one_at_a_time(monkeypatch)
        yield world
        entry.producer.cache_clear()


def invoke(event: dict[str, Any], seconds: float = 60.0) -> Any:  # noqa: ANN401 - JSON
    return entry.handler(event, Context(seconds))  # type: ignore[arg-type]


def messages(*bodies: object) -> dict[str, Any]:
    """An event of the intake queue."""
    return {
        "Records": [
            {"messageId": f"m{n}", "eventSource": "aws:sqs", "body": json.dumps(body)}
            for n, body in enumerate(bodies)
        ]
    }


def test_a_message_of_the_queue_puts_a_file_on_the_stream(pipeline: Pipeline) -> None:
    event = pipeline.store(b"\n".join([*LINES, b"{bad"]))

    assert invoke(messages(event)) == {"batchItemFailures": []}

    assert pipeline.seen().bodies == dict(enumerate(LINES, 1))
    account = pipeline.account()
    assert account.upload.state == "sending"
    assert account.upload.source.key == "uploads/a b.jsonl"
    assert (account.lines_read, account.upload.progress.invalid) == (201, 1)
    (report,) = pipeline.s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/")["Contents"]
    assert account.upload.id in report["Key"]


def test_an_event_delivered_three_times_is_one_upload(pipeline: Pipeline) -> None:
    event = pipeline.store(b"\n".join(LINES))

    for _ in range(3):
        assert invoke(messages(event)) == {"batchItemFailures": []}

    assert pipeline.seen().repeats == 0
    assert pipeline.account().enqueued == 200


def test_a_bare_event_is_served_too(pipeline: Pipeline) -> None:
    assert invoke(pipeline.store(b"\n".join(LINES))) is None

    assert len(pipeline.seen().bodies) == 200


def test_the_test_event_of_s3_does_no_harm(pipeline: Pipeline) -> None:
    assert invoke(messages({"Event": "s3:TestEvent"})) == {"batchItemFailures": []}

    assert list(pipeline.ledger.open_accounts()) == []


def test_only_the_message_that_failed_comes_back(pipeline: Pipeline) -> None:
    event = messages({"what": "ever"}, pipeline.store(b"\n".join(LINES)))

    assert invoke(event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}

    assert len(pipeline.seen().bodies) == 200


def test_an_unknown_message_fails_and_becomes_a_dead_letter(
    pipeline: Pipeline,
) -> None:
    with pytest.raises(BatchProcessingError, match="not an event about uploads"):
        invoke(messages({"what": "ever"}))

    assert list(pipeline.ledger.open_accounts()) == []


def test_what_the_time_does_not_allow_is_handed_on_through_the_queue(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_SHARD_BYTES_PER_SECOND", "20000")
    monkeypatch.setenv("ORDERS_AGGREGATE_BYTES", "1000")
    event = messages(pipeline.store(b"\n".join(LINES * 2)))

    runs = 0
    while event["Records"]:
        assert invoke(event, seconds=3.0) == {"batchItemFailures": []}
        runs += 1
        waiting = pipeline.sqs.receive_message(QueueUrl=pipeline.queue_url).get("Messages", [])
        for one in waiting:
            pipeline.sqs.delete_message(
                QueueUrl=pipeline.queue_url, ReceiptHandle=one["ReceiptHandle"]
            )
        event = messages(*(json.loads(one["Body"]) for one in waiting))

    assert runs >= 2
    seen = pipeline.seen()
    assert len(seen.bodies) == 400
    assert seen.repeats == 0


def test_a_model_that_cannot_be_used_fails_the_run_and_rejects_no_line(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = messages(pipeline.store(b"\n".join(LINES)))
    monkeypatch.setenv("ORDERS_ORDER_MODEL", "no_such_module:Order")

    with pytest.raises(RulesWrong, match="ORDERS_ORDER_MODEL no_such_module:Order cannot be"):
        invoke(event)

    assert list(pipeline.ledger.open_accounts()) == []
    monkeypatch.delenv("ORDERS_ORDER_MODEL")
    assert invoke(event) == {"batchItemFailures": []}
    assert pipeline.seen().bodies == dict(enumerate(LINES, 1))
