"""Where does Lambda come in?

Settings, clients and logger are made once a process. A message that fails comes back after the
queue's visibility time-out; one that was dealt with, or whose rest was handed on, is deleted.
"""

from __future__ import annotations

import random
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from botocore.config import Config

from ledger.dynamodb.connect import open_ledger
from orders.file_reading import ReadingLimits
from producer_lambda.clock import Deadline, SystemClock
from producer_lambda.kinesis import KinesisStream
from producer_lambda.publishing import PUTS_AT_ONCE
from producer_lambda.run import Outside, Plan, run_upload
from producer_lambda.s3 import S3Store
from producer_lambda.settings import ProducerSettings, load_settings
from producer_lambda.upload_requests import continue_message, requests_of_event, requests_of_message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from orders.upload import UploadId
    from producer_lambda.upload_requests import UploadRequest

SPARE_SHARE, SPARE_SECONDS_MIN, SPARE_SECONDS_MAX = 0.15, 1.5, 30.0
"""The part of the function's time that is kept for saving and handing on."""

logger = Logger(service="producer")
_clock = SystemClock()

_ANSWER_SECONDS = 10.0
# Publisher tries again by itself: in order, and in the time left.
_ONE_TRY = Config(
    connect_timeout=3,
    read_timeout=_ANSWER_SECONDS,
    retries={"total_max_attempts": 1},
    max_pool_connections=PUTS_AT_ONCE,
)
_SOME_TRIES = Config(
    connect_timeout=3,
    read_timeout=_ANSWER_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 4},
)


class Producer:
    """The producer of this process, with its settings and clients."""

    def __init__(self, settings: ProducerSettings) -> None:
        kinesis: KinesisClient = boto3.client("kinesis", config=_ONE_TRY)
        s3: S3Client = boto3.client("s3", config=_SOME_TRIES)
        self._sqs: SQSClient = boto3.client("sqs", config=_SOME_TRIES)
        self._queue_url = settings.intake_queue_url
        self._ledger = open_ledger(settings.ledger_table)
        self._stream = KinesisStream(kinesis, settings.stream)
        self._store = S3Store(s3)
        self._plan = plan_of(settings)

    def run(self, requests: Sequence[UploadRequest], deadline: Deadline) -> None:
        """Serve requests one after the other; every one may be repeated without harm."""
        with (
            ThreadPoolExecutor(PUTS_AT_ONCE, thread_name_prefix="put") as putters,
            ThreadPoolExecutor(max_workers=1, thread_name_prefix="enqueue") as executor,
        ):
            outside = self._outside(executor, putters)
            for request in requests:
                logger.append_keys(upload=request.upload)
                end = run_upload(request, outside, self._plan, deadline)
                logger.info(end.value)

    def _outside(self, executor: Executor, putters: Executor) -> Outside:
        return Outside(
            ledger=self._ledger,
            pace=self._ledger,
            store=self._store,
            stream=self._stream,
            clock=_clock,
            executor=executor,
            putters=putters,
            hand_on=self._hand_on,
            new_token=lambda: secrets.token_hex(8),
            jitter=random.random,
        )

    def _hand_on(self, upload: UploadId) -> None:
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=continue_message(upload))


def plan_of(settings: ProducerSettings) -> Plan:
    """How uploads are read under these settings."""
    pace = settings.shard_bytes_per_second
    return Plan(
        lanes=settings.lanes,
        aggregate_bytes=settings.aggregate_bytes,
        limits=ReadingLimits(settings.line_bytes, settings.csv_delimiter),
        shard_bytes_per_second=None if pace == "none" else pace,
        retention_hours=settings.retention_hours,
        rate=settings.rate,
        report_prefix=settings.report_prefix,
    )


def deadline_of(remaining_seconds: float) -> Deadline:
    """When a run that may take so long has to stop, well before it is killed."""
    spare = min(max(SPARE_SHARE * remaining_seconds, SPARE_SECONDS_MIN), SPARE_SECONDS_MAX)
    return Deadline(_clock, _clock.monotonic() + remaining_seconds - spare)


@cache
def producer() -> Producer:
    """The producer of this process, made at the first event."""
    settings = load_settings()
    logger.info("settings", extra={"settings": settings.model_dump(mode="json")})
    return Producer(settings)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> object:
    """Serve an event: messages of the intake queue, or an S3 event by itself.

    Answers messages with those that failed; an event by itself fails as a whole.
    """
    ours = producer()
    deadline = deadline_of(context.get_remaining_time_in_millis() / 1000)
    if not _is_of_queue(event):
        ours.run(requests_of_event(event), deadline)
        return None

    def serve(record: SQSRecord) -> None:  # the processor passes it by this name
        try:
            ours.run(requests_of_message(record.body), deadline)
        except Exception:
            logger.exception("the message comes back", extra={"message_id": record.message_id})
            raise

    # A new processor each time: it holds the last batch.
    processor = BatchProcessor(EventType.SQS)
    return process_partial_response(event, serve, processor, context)


def _is_of_queue(event: dict[str, Any]) -> bool:
    records = event.get("Records") or [{}]
    return bool(records[0].get("eventSource") == "aws:sqs")
