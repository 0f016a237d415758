"""Does AWS take infra/pipeline.yaml as it stands, and does an upload then reach the stream?"""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, socket
from typing import TYPE_CHECKING, Final, TypeVar

import boto3
import pytest

from tests.support.eventually import eventually
from tests.support.template import INFRA

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

pytestmark = pytest.mark.aws

REGION: Final = "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/01234567-89ab-cdef"
# What the real producer would do, in three lines: prove that it ran with its settings.
PRODUCER = b"""
import json, os, boto3

def handler(event, context):
    records = [{"Data": json.dumps(event), "PartitionKey": "1"}]
    boto3.client("kinesis").put_records(StreamName=os.environ["ORDERS_STREAM"], Records=records)
    return {"batchItemFailures": []}
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack in an AWS of its own on this machine."""

    endpoint: str
    stack: "StackTypeDef"

    @property
    def outputs(self) -> dict[str, str]:
        return {o["OutputKey"]: o["OutputValue"] for o in self.stack["Outputs"]}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start ministack on a free port; gives its endpoint."""
    folder = tmp_path_factory.mktemp("aws")
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(folder),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log
        )
        try:
            eventually(lambda: _accepts(port), f"a connection to port {port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture(scope="module")
def deployed(aws: str) -> Deployed:
    """Deploy the template unchanged, with small figures where time would be waited for."""
    s3 = boto3.client("s3", endpoint_url=aws)
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="code", Key="producer.zip", Body=_zipped_producer())
    cloudformation = boto3.client("cloudformation", endpoint_url=aws)
    parameters = {
        "CodeBucket": "code",
        "CodeKey": "producer.zip",
        "FunctionSeconds": "30",
        "VisibilitySeconds": "31",
        "ShardCount": "2",
        "Rate": "5/s",
        "KmsKeyArn": KEY,
    }

    cloudformation.create_stack(
        StackName="orders",
        TemplateBody=(INFRA / "pipeline.yaml").read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    )

    def finished() -> "StackTypeDef | None":
        (stack,) = cloudformation.describe_stacks(StackName="orders")["Stacks"]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    return Deployed(endpoint=aws, stack=eventually(finished, "the finished stack", seconds=30))


def test_it_deploys_and_tells_its_names(deployed: Deployed) -> None:
    assert deployed.stack["StackStatus"] == "CREATE_COMPLETE"
    assert deployed.outputs["BucketName"] == f"orders-000000000000-{REGION}"
    assert deployed.outputs["StreamName"] == "orders-stream"
    assert deployed.outputs["LedgerTableName"] == "orders-ledger"
    assert deployed.outputs["FunctionName"] == "orders-producer"
    assert deployed.outputs["IntakeQueueUrl"].endswith("/orders-intake")
    assert deployed.outputs["IntakeDeadLetterQueueUrl"].endswith("/orders-intake-dead-letters")


def test_a_key_of_ones_own_encrypts_the_queue(deployed: Deployed) -> None:
    sqs = boto3.client("sqs", endpoint_url=deployed.endpoint)

    intake = sqs.get_queue_attributes(
        QueueUrl=deployed.outputs["IntakeQueueUrl"], AttributeNames=["All"]
    )["Attributes"]

    assert intake["KmsMasterKeyId"] == KEY


def test_the_bucket_tells_the_queue_of_uploads_only(deployed: Deployed) -> None:
    s3 = boto3.client("s3", endpoint_url=deployed.endpoint)

    told = s3.get_bucket_notification_configuration(Bucket=deployed.outputs["BucketName"])

    (queue,) = told["QueueConfigurations"]
    assert queue["QueueArn"].endswith(":orders-intake")
    assert queue["Events"] == ["s3:ObjectCreated:*"]
    (rule,) = queue["Filter"]["Key"]["FilterRules"]
    assert (rule["Name"].lower(), rule["Value"]) == ("prefix", "uploads/")


def test_the_queue_gives_the_producer_one_message_and_takes_it_back_alone(
    deployed: Deployed,
) -> None:
    functions = boto3.client("lambda", endpoint_url=deployed.endpoint)

    (mapping,) = functions.list_event_source_mappings()["EventSourceMappings"]

    assert mapping["EventSourceArn"].endswith(":orders-intake")
    assert mapping["FunctionArn"].endswith(":orders-producer")
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_a_message_that_fails_again_and_again_is_kept(deployed: Deployed) -> None:
    sqs = boto3.client("sqs", endpoint_url=deployed.endpoint)

    intake = sqs.get_queue_attributes(
        QueueUrl=deployed.outputs["IntakeQueueUrl"], AttributeNames=["All"]
    )["Attributes"]

    assert intake["VisibilityTimeout"] == "31"
    assert '"maxReceiveCount":"5"' in intake["RedrivePolicy"]
    assert ":orders-intake-dead-letters" in intake["RedrivePolicy"]


def test_the_stream_keeps_orders_for_ninety_days_on_the_shards_asked_for(
    deployed: Deployed,
) -> None:
    kinesis = boto3.client("kinesis", endpoint_url=deployed.endpoint)

    stream = kinesis.describe_stream_summary(StreamName=deployed.outputs["StreamName"])[
        "StreamDescriptionSummary"
    ]

    assert stream["RetentionPeriodHours"] == 90 * 24
    assert stream["OpenShardCount"] == 2


def test_the_producer_gets_its_settings(deployed: Deployed) -> None:
    functions = boto3.client("lambda", endpoint_url=deployed.endpoint)

    configuration = functions.get_function_configuration(
        FunctionName=deployed.outputs["FunctionName"]
    )

    assert configuration["Environment"]["Variables"] == {
        "ORDERS_BUCKET": deployed.outputs["BucketName"],
        "ORDERS_STREAM": deployed.outputs["StreamName"],
        "ORDERS_LEDGER_TABLE": deployed.outputs["LedgerTableName"],
        "ORDERS_INTAKE_QUEUE_URL": deployed.outputs["IntakeQueueUrl"],
        "ORDERS_REPORT_PREFIX": "reports/",
        "ORDERS_LANES": "1",
        "ORDERS_DUPLICATES": "warn",
        "ORDERS_LINE_BYTES": "262144",
        "ORDERS_AGGREGATE_BYTES": "200000",
        "ORDERS_SHARD_BYTES_PER_SECOND": "1000000",
        "ORDERS_RETENTION_HOURS": "2160",
        "ORDERS_RATE": "5/s",
    }
    assert configuration["Timeout"] == 30


def test_an_upload_reaches_the_stream_and_a_report_does_not(deployed: Deployed) -> None:
    s3 = boto3.client("s3", endpoint_url=deployed.endpoint)
    bucket = deployed.outputs["BucketName"]

    s3.put_object(Bucket=bucket, Key="reports/invalid.jsonl", Body=b"{}")
    s3.put_object(Bucket=bucket, Key="uploads/march.jsonl", Body=b"{}")

    events = eventually(lambda: _events_naming(deployed, "uploads/march.jsonl"), seconds=30)
    assert len(events) == 1
    assert _events_naming(deployed, "reports/invalid.jsonl") == []


def _events_naming(deployed: Deployed, key: str) -> list[bytes]:
    """What the producer put on the stream for this key; an event holds an event as text."""
    kinesis = boto3.client("kinesis", endpoint_url=deployed.endpoint)
    name = deployed.outputs["StreamName"]
    found: list[bytes] = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = kinesis.get_records(ShardIterator=iterator)["Records"]
        found += [r["Data"] for r in records if key.encode() in r["Data"]]
    return found


def _zipped_producer() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("producer_lambda/__init__.py", b"")
        archive.writestr(str(Path("producer_lambda", "handler.py")), PRODUCER)
    return buffer.getvalue()


def _accepts(port: int) -> bool:
    try:
        with create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
