"""The pipeline of infra/pipeline.yaml in an AWS of its own on this machine, without a consumer."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from socket import create_connection, socket
from typing import TypeVar
from unittest.mock import patch

import boto3

from ledger.dynamodb.connect import open_ledger
from ledger.uploads.upload import Account
from orders.aggregate import Aggregate
from orders.upload import UploadId, upload_id
from sandbox.code_archive import CHECKOUT, code_archive
from sandbox.embedded_aws import aws_environment
from sandbox.folder import SandboxFolder
from tests.support.eventually import eventually
from tests.support.producer_world import Seen, consume, taken_apart

T = TypeVar("T")

LIMIT_SECONDS = 60.0
REGION = "us-east-1"


class Pipeline:
    """What was deployed, and how a test speaks to it."""

    def __init__(self, outputs: Mapping[str, str]) -> None:
        self.outputs = outputs
        self.runs: set[str] = set()
        self.s3 = boto3.client("s3")
        self.sqs = boto3.client("sqs")
        self.kinesis = boto3.client("kinesis")
        self.ledger = open_ledger(outputs["LedgerTableName"])

    @property
    def bucket(self) -> str:
        """Where uploads and reports lie."""
        return self.outputs["BucketName"]

    def upload(self, content: bytes, key: str) -> UploadId:
        """Store a file; S3 tells the queue of it by itself."""
        stored = self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return upload_id(self.bucket, key, stored["VersionId"])

    def event(self, key: str, *, version: str, size_bytes: int) -> str:
        """What S3 tells of a new object."""
        stored = {"key": key, "size": size_bytes, "eTag": "e", "versionId": version}
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self.bucket}, "object": stored | {"sequencer": "1"}},
        }
        return json.dumps({"Records": [record]})

    def tell(self, message: str) -> None:
        """Put a message into the intake queue."""
        self.sqs.send_message(QueueUrl=self.outputs["IntakeQueueUrl"], MessageBody=message)

    def when_read(self, upload: UploadId, *, limit_seconds: float = LIMIT_SECONDS) -> Account:
        """The upload as soon as it is read to its end; `runs` has the tokens seen meanwhile."""
        self.runs = set()

        def read() -> Account | None:
            account = self.ledger.read_account(upload)
            if account is None:
                return None
            self.runs.add(account.upload.run_token)
            return account if account.upload.read_complete else None

        return eventually(read, "the end of the file", seconds=limit_seconds)

    def records(self) -> list[Aggregate]:
        """Every record of the stream, shard by shard in order."""
        found: list[Aggregate] = []
        name = self.outputs["StreamName"]
        for shard in self.kinesis.list_shards(StreamName=name)["Shards"]:
            position: str | None = self.kinesis.get_shard_iterator(
                StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while position:
                page = self.kinesis.get_records(ShardIterator=position, Limit=100)
                for record in page["Records"]:
                    (_, hash_key, _), *_ = taken_apart(record["Data"])
                    key, payload = record["PartitionKey"], record["Data"]
                    found.append(Aggregate(key, hash_key, payload, 0, 0, 0))
                position = page["NextShardIterator"] if page["Records"] else None
        return found

    def seen(self, upload: UploadId) -> Seen:
        """What a consumer sees of one upload."""
        return consume([one for one in self.records() if one.partition_key.startswith(upload)])


@contextmanager
def deployed_pipeline(
    folder: Path, parameters: Mapping[str, str], *, models: Path | None = None
) -> Iterator[Pipeline]:
    """Start ministack, deploy the template with these parameters, and end it all.

    models: a folder that takes the place of models/ in the function's code.
    """
    place = SandboxFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    place.renew()
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with place.log_of("aws").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=aws_environment(place, port, os.environ),
            cwd=place.aws,
            stdout=log,
            stderr=log,
        )
        endpoint = f"http://127.0.0.1:{port}"
        ours = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        try:
            eventually(lambda: _accepts(port), f"a connection to port {port}")
            with patch.dict(os.environ, ours):
                yield Pipeline(_deploy(parameters, models))
        finally:
            process.terminate()
            process.wait(timeout=10)


def _deploy(parameters: Mapping[str, str], models: Path | None) -> Mapping[str, str]:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="producer.zip", Body=code_archive(models=models))
    cloudformation = boto3.client("cloudformation")
    chosen = {"CodeBucket": "code", "CodeKey": "producer.zip", **parameters}
    cloudformation.create_stack(
        StackName="orders",
        TemplateBody=(CHECKOUT / "infra" / "pipeline.yaml").read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in chosen.items()],
    )

    def outputs() -> Mapping[str, str] | None:
        (stack,) = cloudformation.describe_stacks(StackName="orders")["Stacks"]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            return None
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    return eventually(outputs, "the finished stack", seconds=30)


def _accepts(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
