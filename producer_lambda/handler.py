"""The entry point of the Lambda function.

Another source of orders is a function of its own, which stores what it brings as an object of the
upload bucket, under the upload prefix, once (a second object is a second upload, and a batch that
SQS repeats may hold other messages), by a client of its own (`S3Store` reads uploads and writes
reports only): identity, resuming and redriving rest on an object's version and its line numbers,
and from S3's event on nothing changes.

Settings, clients and logger are created once per process. A message that fails returns to the queue
after its visibility time-out; one that was served, or whose rest was handed on, is deleted.
"""

from __future__ import annotations

import random
import secrets
import time
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
from orders.chosen_rules import chosen_rules
from orders.file_reading import ReadingLimits
from producer_lambda.dependencies import Dependencies, RunSettings
from producer_lambda.id_part_store import S3IdParts
from producer_lambda.kinesis import KinesisStream
from producer_lambda.publishing import PUTS_AT_ONCE
from producer_lambda.run_deadline import Deadline
from producer_lambda.s3 import S3Store
from producer_lambda.settings import ProducerSettings, load_settings
from producer_lambda.upload_requests import continue_message, requests_of_event, requests_of_message
from producer_lambda.upload_run import run_upload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from orders.upload import UploadId
    from producer_lambda.upload_requests import UploadRequest

SPARE_SHARE, SPARE_SECONDS_MIN, SPARE_SECONDS_MAX = 0.15, 1.5, 30.0
"""The part of the function's time reserved for saving and handing on."""

logger = Logger(service="producer")

_RESPONSE_SECONDS = 10.0
# Publisher retries itself: in order, and within the time left.
_ONE_TRY = Config(
    connect_timeout=3,
    read_timeout=_RESPONSE_SECONDS,
    retries={"total_max_attempts": 1},
    max_pool_connections=PUTS_AT_ONCE,
)
_SOME_TRIES = Config(
    connect_timeout=3,
    read_timeout=_RESPONSE_SECONDS,
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
        self._id_parts = S3IdParts(s3, settings.bucket)
        self._settings = run_settings(settings)

    def run(self, requests: Sequence[UploadRequest], deadline: Deadline) -> None:
        """Serve requests one after the other; each may be repeated without harm."""
        with (
            ThreadPoolExecutor(PUTS_AT_ONCE, thread_name_prefix="put") as put_threads,
            ThreadPoolExecutor(1, thread_name_prefix="enqueue") as enqueue_thread,
        ):
            dependencies = Dependencies(
                ledger=self._ledger,
                pace=self._ledger,
                store=self._store,
                id_parts=self._id_parts,
                stream=self._stream,
                clock=time,
                enqueue_thread=enqueue_thread,
                put_threads=put_threads,
                hand_on=self._hand_on,
                new_token=lambda: secrets.token_hex(8),
                jitter=random.random,
            )
            for request in requests:
                logger.append_keys(upload=request.upload)
                end = run_upload(request, dependencies, self._settings, deadline)
                logger.info(end.value)

    def _hand_on(self, upload: UploadId) -> None:
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=continue_message(upload))


def run_settings(settings: ProducerSettings) -> RunSettings:
    """How uploads are read under these settings. Raises RulesWrong, so that no upload is read."""
    rules = chosen_rules(
        model=settings.order_model,
        id_field=settings.order_id_field,
        mapping=settings.order_mapping,
    )
    pace = settings.shard_bytes_per_second
    return RunSettings(
        lanes=settings.lanes,
        aggregate_bytes=settings.aggregate_bytes,
        limits=ReadingLimits(settings.line_bytes, settings.csv_delimiter, rules),
        shard_bytes_per_second=None if pace == "none" else pace,
        retention_hours=settings.retention_hours,
        rate=settings.rate,
        report_prefix=settings.report_prefix,
        duplicates=settings.duplicates,
    )


def deadline_of(remaining_seconds: float) -> Deadline:
    """When a run with this much time left must stop, well before it is killed."""
    spare = min(max(SPARE_SHARE * remaining_seconds, SPARE_SECONDS_MIN), SPARE_SECONDS_MAX)
    return Deadline(time, time.monotonic() + remaining_seconds - spare)


@cache
def producer() -> Producer:
    """The producer of this process, created at the first event."""
    settings = load_settings()
    logger.info("settings", extra={"settings": settings.model_dump(mode="json")})
    return Producer(settings)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> object:
    """Serve an event: messages of the intake queue, or a bare S3 event.

    Returns the messages that failed; a bare event fails as a whole.
    """
    ours = producer()
    deadline = deadline_of(context.get_remaining_time_in_millis() / 1000)
    if not _is_of_queue(event):
        ours.run(requests_of_event(event), deadline)
        return None

    def serve(record: SQSRecord) -> None:  # the processor passes this keyword
        try:
            ours.run(requests_of_message(record.body), deadline)
        except Exception:
            logger.exception(
                "the message returns to the queue", extra={"message_id": record.message_id}
            )
            raise

    # A new processor each time: it holds the last batch.
    processor = BatchProcessor(EventType.SQS)
    return process_partial_response(event, serve, processor, context)


def _is_of_queue(event: dict[str, Any]) -> bool:
    records = event.get("Records") or [{}]
    return bool(records[0].get("eventSource") == "aws:sqs")
