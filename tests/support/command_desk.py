"""A sandbox as its users see it: the `orders` command, the API's log, the metrics."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import pytest
import requests

from ledger.dynamodb.ledger import DynamoLedger
from ledger.uploads.upload import Source
from orders.upload import UploadId, upload_id
from orders_cli.demo.sandbox_api import SandboxApi
from orders_cli.main import main
from sandbox.code_archive import CHECKOUT
from sandbox.judge.observations import (
    Numbers,
    Observed,
    expected_orders,
    numbers_of_account,
    numbers_of_status,
)
from sandbox.running import RunningSandbox
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

LIMIT_SECONDS = 90.0
BUSY_SECONDS = 10.0
"""The cores may be busy with something else: where a time is judged, so much more is no failure."""


def order_line(number: int) -> bytes:
    """A valid line; the quantity and the price differ, too."""
    order = {
        "order_id": f"ORDER-{number:05d}",
        "customer_id": f"C-{number % 17}",
        "sku": "TEA",
        "quantity": number % 9 + 1,
        "unit_price": f"{number % 50}.{number % 100:02d}",
        "currency": "EUR",
    }
    return json.dumps(order).encode()


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Desk:
    """One sandbox; `polls` are the numbers of the upload that is watched, at every look."""

    sandbox: RunningSandbox
    environment: Mapping[str, str] = field(init=False)
    polls: list[Numbers] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read how it is reached."""
        self.environment = self.sandbox.environment(os.environ)

    @property
    def api(self) -> SandboxApi:
        """The API that the orders are sent to."""
        return SandboxApi(self.environment["ORDERS_SANDBOX_API"])

    def type(self, *words: str) -> Said:
        """Run a command to its end, in this process: Python's start costs half a second."""
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch("sys.argv", ["orders", *words]),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        return Said(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def upload(self, folder: Path, name: str, content: bytes) -> UploadId:
        """Upload a file of this name."""
        file = folder / name
        file.write_bytes(content)
        said = self.type("upload", str(file), "--json")
        assert said.code == 0, said.err
        return UploadId(json.loads(said.out)["upload"])

    def status(self, upload: UploadId) -> dict[str, Any]:
        """The upload in `orders status --json`; its numbers become a poll."""
        said = self.type("status", "--json")
        assert said.code == 0, said.err
        found = next(u for u in json.loads(said.out)["uploads"] if u["upload"] == upload)
        self.polls.append(numbers_of_status(found))
        return dict(found)

    def until_over(self, upload: UploadId) -> dict[str, Any]:
        """Look until nothing of the upload is left to read or send."""
        ledger = self.ledger

        def over() -> bool:
            account = ledger.read_account(upload)
            if account is None:
                return False
            self.polls.append(numbers_of_account(account))
            return not account.upload.listed_open

        eventually(over, f"the end of upload {upload}", seconds=LIMIT_SECONDS)
        return self.status(upload)

    def until_accepted(self, count: int, *, seconds: float = LIMIT_SECONDS) -> float:
        """Look until the API accepted so many requests; when the last of them arrived."""

        def enough() -> float | None:
            accepted = [request.t for request in self.api.requests() if request.is_accepted]
            return accepted[count - 1] if len(accepted) >= count else None

        return eventually(enough, f"{count} accepted orders", seconds=seconds)

    def accepted(self) -> int:
        """How many requests the API accepted so far."""
        return sum(request.is_accepted for request in self.api.requests())

    def pids(self) -> dict[str, list[int]]:
        """The processes that processes.json lists now, by role."""
        found: dict[str, list[int]] = {"worker": [], "daemon": [], "shard": []}
        for entry in self.sandbox.processes():
            found.setdefault(entry.role, []).append(entry.pid)
        return found

    def metric(self, name: str) -> float:
        """The one sample of a metric without labels."""
        text = requests.get(self.environment["ORDERS_METRICS_URL"], timeout=10).text
        found = re.findall(rf"^{name} (\S+)$", text, flags=re.MULTILINE)
        assert len(found) == 1, found
        return float(found[0])

    def observed(
        self, upload: UploadId, lines: Mapping[int, bytes], *, since: float = 0.0
    ) -> Observed:
        """What the judge is to see: these lines are the valid ones; requests from `since` on."""
        requests = [request for request in self.api.requests() if request.t >= since]
        return Observed(expected_orders(upload, lines), requests, list(self.polls))

    @contextmanager
    def started(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """A command that runs; it is waited for on leaving."""
        running = subprocess.Popen(
            [sys.executable, "-m", "orders_cli.main", *words],
            cwd=CHECKOUT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield running
            running.wait(LIMIT_SECONDS)
        finally:
            running.kill()
            running.communicate()

    @property
    def ledger(self) -> DynamoLedger:
        """The ledger of the sandbox."""
        dynamodb = self._session().client(
            "dynamodb", endpoint_url=self.environment["AWS_ENDPOINT_URL"]
        )
        return DynamoLedger(dynamodb, self.environment["ORDERS_LEDGER_TABLE"])

    @property
    def kinesis(self) -> "KinesisClient":
        """Kinesis of the sandbox."""
        endpoint = self.environment["AWS_ENDPOINT_URL"]
        return self._session().client("kinesis", endpoint_url=endpoint)

    @property
    def s3(self) -> "S3Client":
        """S3 of the sandbox."""
        return self._session().client("s3", endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def store(self, key: str, content: bytes) -> Source:
        """Store an object as anybody might, without the command."""
        bucket = self.environment["ORDERS_BUCKET"]
        put = self.s3.put_object(Bucket=bucket, Key=key, Body=content)
        return Source(bucket, key, put["VersionId"], put["ETag"].strip('"'), len(content))

    def deliver(self, source: Source) -> UploadId:
        """Deliver the event of a stored object once more."""
        stored = {"key": source.key, "size": source.size_bytes, "eTag": source.etag}
        stored |= {"versionId": source.version_id, "sequencer": "00"}
        about = {"bucket": {"name": source.bucket}, "object": stored}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": about}
        sqs = self._session().client("sqs", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        sqs.send_message(
            QueueUrl=self.environment["ORDERS_INTAKE_QUEUE_URL"],
            MessageBody=json.dumps({"Records": [record]}),
        )
        return upload_id(source.bucket, source.key, source.version_id)

    def _session(self) -> boto3.Session:
        return boto3.Session(
            self.environment["AWS_ACCESS_KEY_ID"],
            self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_REGION"],
        )
