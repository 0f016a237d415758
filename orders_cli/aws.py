"""The AWS that a command acts on: ledger (all its ports), bucket and queues of the environment."""

import os
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from consumer.telemetry.dead_letter_queue import dead_letter_queue_url
from consumer.telemetry.skew import SkewWatch
from ledger.dynamodb.ledger import DynamoLedger
from ledger.pace.pace import Pace
from ledger.workers import Absence, absence
from orders_cli.failures import SettingWrong
from orders_cli.intake_dead_letters import IntakeDeadLetter, peek
from orders_cli.output import say
from orders_cli.overview import Overview, find_account, read_overview
from orders_cli.settings import CommandSettings, load_settings
from orders_cli.target import Target, confirm, find_target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from ledger.report import StatusReport
    from ledger.uploads.upload import Account
    from orders_cli.bucket import UploadBucket

# A person is waiting: give up early where nothing answers.
CLIENT_CONFIG = Config(
    connect_timeout=3.0,
    read_timeout=20.0,
    retries={"mode": "standard", "total_max_attempts": 3},
)


@dataclass(frozen=True)
class Aws:
    """The AWS of the environment; each client is made when it is first used."""

    settings: CommandSettings
    session: boto3.Session

    @cached_property
    def ledger(self) -> DynamoLedger:
        """The ledger. Raises SettingWrong where ORDERS_LEDGER_TABLE is not set."""
        return DynamoLedger(self.dynamodb, self.settings.require("ledger_table"))

    @cached_property
    def bucket(self) -> "UploadBucket":
        """The upload bucket. Raises SettingWrong where ORDERS_BUCKET is not set."""
        from orders_cli.bucket import UploadBucket  # noqa: PLC0415 - few commands need it

        return UploadBucket(self.s3, self.settings.require("bucket"))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        client = self.session.client("dynamodb", config=CLIENT_CONFIG)
        self._skew.listen(client.meta.events, "dynamodb")
        return client

    @cached_property
    def _skew(self) -> SkewWatch:
        """A wrong clock here must not make a worker look dead, or a pause over."""
        return SkewWatch(time.time)

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return self.session.client("s3", config=CLIENT_CONFIG)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return self.session.client("sqs", config=CLIENT_CONFIG)

    def target(self, *, with_bucket: bool = False) -> Target:
        """What is called: the ledger's table, and the bucket where the command uses it."""
        endpoints = [self.dynamodb.meta.endpoint_url]
        thing = f"table {self.settings.require('ledger_table')}"
        if with_bucket:
            thing += f", bucket {self.settings.require('bucket')}"
            endpoints.append(self.s3.meta.endpoint_url)
        return find_target(self.session, tuple(endpoints), thing=thing)

    def overview(self, *, with_ended: bool = True) -> Overview:
        """The uploads and the state of sending; with_ended: as `read_overview` has it."""
        claims = tuple(self.ledger.all_claims())  # first: its response tells what time it is there
        return read_overview(
            self.ledger,
            retention_hours=self.settings.retention_hours,
            now=self._now(),
            claims=claims,
            with_ended=with_ended,
        )

    def report(self) -> "StatusReport":
        """What is left and when it is done, without a list of uploads."""
        return self.overview(with_ended=False).report

    def find_account(self, text: str) -> "Account":
        """The upload that a person names. Raises UsageWrong."""
        return find_account(self.ledger, text, self.overview)

    def absence(self, pace: Pace) -> Absence | None:
        """Whether no worker is alive."""
        claims = tuple(self.ledger.all_claims())
        return absence(claims, self.ledger.read_history().samples, pace, self._now())

    def _now(self) -> float:
        """The time, by DynamoDB's clock if this machine's is proven wrong."""
        return time.time() - self._skew.skew_seconds

    def intake_dead_letters(self) -> list[IntakeDeadLetter]:
        """The events in the intake's dead-letter queue; none where no queue is set."""
        url = self._intake_dead_letter_url
        return peek(self._sqs, url) if url else []

    @cached_property
    def _intake_dead_letter_url(self) -> str | None:
        settings = self.settings
        if settings.intake_dead_letter_url or not settings.intake_queue_url:
            return settings.intake_dead_letter_url
        return dead_letter_queue_url(self._sqs, settings.intake_queue_url)


def open_to_read(*, with_bucket: bool = False) -> Aws:
    """Read the settings, and say on stderr where the command acts. Raises SettingWrong."""
    return _open(with_bucket=with_bucket)[0]


def open_to_change(what: str, *, yes: bool, with_bucket: bool = False) -> Aws:
    """As `open_to_read`, and ask for confirmation where that is a real account.

    what: the change as a verb phrase. Raises UsageWrong if nobody agrees.
    """
    aws, target = _open(with_bucket=with_bucket)
    confirm(target, what, yes=yes)
    return aws


def _open(*, with_bucket: bool) -> tuple[Aws, Target]:
    settings = load_settings()
    # boto3 reads only the second of the two.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None
    session = boto3.Session(region_name=region)
    if not session.region_name:
        raise SettingWrong("AWS_REGION is not set;", hint="set it to the pipeline's region.")
    aws = Aws(settings, session)
    target = aws.target(with_bucket=with_bucket)
    say(f"orders: acting on {target.sentence}")
    return aws, target
