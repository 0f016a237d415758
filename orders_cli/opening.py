"""How does a command get at AWS: ledger, bucket, queues, and who they belong to?"""

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
from orders_cli.looking import Look, look, report_now
from orders_cli.settings import CommandSettings, load_settings
from orders_cli.speech import say
from orders_cli.target import Target, ask_before_change, find_target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from ledger.report import StatusReport
    from orders_cli.storage import Storage

# A person waits for the answer: say soon that nobody answers.
_CONFIG = Config(
    connect_timeout=3.0,
    read_timeout=20.0,
    retries={"mode": "standard", "total_max_attempts": 3},
)


@dataclass(frozen=True)
class Opened:
    """The AWS of the environment; a client is made when it is first used."""

    settings: CommandSettings
    session: boto3.Session

    @cached_property
    def ledger(self) -> DynamoLedger:
        """The ledger. Raises SettingWrong where ORDERS_LEDGER_TABLE is not set."""
        return DynamoLedger(self.dynamodb, self.settings.require("ledger_table"))

    @cached_property
    def storage(self) -> "Storage":
        """The upload bucket. Raises SettingWrong where ORDERS_BUCKET is not set."""
        from orders_cli.storage import Storage  # noqa: PLC0415 - not every command stores

        return Storage(self.s3, self.settings.require("bucket"))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        client = self.session.client("dynamodb", config=_CONFIG)
        self._skew.listen(client.meta.events, "dynamodb")
        return client

    @cached_property
    def _skew(self) -> SkewWatch:
        """A wrong clock here must not make a worker look dead, or a pause over."""
        return SkewWatch(time.time)

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return self.session.client("s3", config=_CONFIG)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return self.session.client("sqs", config=_CONFIG)

    @cached_property
    def kinesis(self) -> "KinesisClient":
        """Kinesis."""
        return self.session.client("kinesis", config=_CONFIG)

    def target(self, *, with_bucket: bool = False) -> Target:
        """Who is called: the ledger's table, and the bucket where the command stores."""
        endpoints = [self.dynamodb.meta.endpoint_url]
        thing = f"table {self.settings.require('ledger_table')}"
        if with_bucket:
            thing += f", bucket {self.settings.require('bucket')}"
            endpoints.append(self.s3.meta.endpoint_url)
        return find_target(self.session, tuple(endpoints), thing=thing)

    def look(self) -> Look:
        """How things stand now."""
        claims = tuple(self.ledger.all_claims())  # first: its answer tells what time it is there
        return look(
            self.ledger,
            retention_hours=self.settings.retention_hours,
            now=self._now(),
            claims=claims,
        )

    def absence(self, pace: Pace) -> Absence | None:
        """Whether no worker is alive."""
        claims = tuple(self.ledger.all_claims())
        return absence(claims, self.ledger.read_history().samples, pace, self._now())

    def _now(self) -> float:
        """The time, as DynamoDB has it if this machine's clock is proven wrong."""
        return time.time() - self._skew.skew_seconds

    def report(self) -> "StatusReport":
        """What is left and when it is done, without a list of uploads."""
        claims = tuple(self.ledger.all_claims())  # first: its answer tells what time it is there
        return report_now(
            self.ledger,
            retention_hours=self.settings.retention_hours,
            now=self._now(),
            claims=claims,
        )

    def intake_dead_letters(self) -> list[IntakeDeadLetter]:
        """The events that ended in the intake's dead-letter queue; none where no queue is set."""
        url = self._intake_dead_letter_url
        return peek(self.sqs, url) if url else []

    @cached_property
    def _intake_dead_letter_url(self) -> str | None:
        settings = self.settings
        if settings.intake_dead_letter_url or not settings.intake_queue_url:
            return settings.intake_dead_letter_url
        return dead_letter_queue_url(self.sqs, settings.intake_queue_url)


def open_aws() -> Opened:
    """Read the settings. Raises SettingWrong."""
    settings = load_settings()
    session = boto3.Session(region_name=_region())
    if not session.region_name:
        raise SettingWrong("AWS_REGION is not set;", hint="set it to the pipeline's region.")
    return Opened(settings, session)


def _region() -> str | None:
    """The region that is set by name; boto3 reads only the second of the two."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def open_to_read(*, with_bucket: bool = False) -> Opened:
    """Open, and say on stderr where the command acts."""
    opened = open_aws()
    say(f"orders: acting on {opened.target(with_bucket=with_bucket).sentence}")
    return opened


def open_to_change(what: str, *, yes: bool, with_bucket: bool = False) -> Opened:
    """Open, say where the command acts, and ask first if that is a real account.

    what: the change as a verb phrase. Raises UsageWrong if nobody agrees.
    """
    opened = open_aws()
    target = opened.target(with_bucket=with_bucket)
    say(f"orders: acting on {target.sentence}")
    ask_before_change(target, what, yes=yes)
    return opened
