"""Which uploads' events ended in the intake's dead-letter queue?

Looking takes nothing away: messages are received with a visibility time-out of 0 seconds.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from orders.upload import UploadId, object_version, upload_id

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LOOKS = 5
"""Each look shows at most 10 messages, some of them again."""


_LIES_THERE = "it lies in the intake's dead-letter queue"
_FAILED = (
    "the producer failed on it again and again, and its event lies in the intake's dead-letter "
    "queue: see the producer's log, then move the event back to the intake queue"
)


@dataclass(frozen=True, slots=True)
class IntakeDeadLetter:
    """An event that the producer could not deal with. upload: None where it names none."""

    upload: UploadId | None
    key: str
    reason: str


def dead_letter_url(sqs: "SQSClient", intake_queue_url: str) -> str | None:
    """The dead-letter queue that the intake queue names."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=intake_queue_url, AttributeNames=["RedrivePolicy"]
    ).get("Attributes", {})
    policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    arn = policy.get("deadLetterTargetArn")
    if not arn:
        return None
    account, name = arn.split(":")[4:6]
    return sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]


def peek(sqs: "SQSClient", url: str) -> list[IntakeDeadLetter]:
    """The events that lie in the queue, at most LOOKS * 10 of them."""
    found: dict[str, MessageTypeDef] = {}
    for _ in range(LOOKS):
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        ).get("Messages", [])
        new = {message["MessageId"]: message for message in messages} | found
        if len(new) == len(found):
            break
        found = new
    return [letter for message in found.values() for letter in letters_of(message.get("Body", ""))]


def letters_of(body: str) -> list[IntakeDeadLetter]:
    """What one message was about; an event of S3 may name several objects.

    The producer reads the same shapes: S3's own events, EventBridge's, and its own message to go
    on with an upload.
    """
    try:
        message = json.loads(body)
    except ValueError:
        return [IntakeDeadLetter(None, "", f"the event is no JSON; {_LIES_THERE}")]
    try:
        found = _letters_of(message)
    except (KeyError, TypeError, AttributeError):
        found = []
    return found or [IntakeDeadLetter(None, "", f"the event names no object; {_LIES_THERE}")]


def _letters_of(message: Any) -> list[IntakeDeadLetter]:  # noqa: ANN401 - any JSON may lie in a queue
    if "continue_upload" in message:
        return [IntakeDeadLetter(UploadId(str(message["continue_upload"])), "", _FAILED)]
    if "detail" in message:
        detail = message["detail"]
        stored = detail["object"]
        version = stored.get("version-id"), stored.get("etag", ""), stored.get("sequencer", "")
        return [_letter(detail["bucket"]["name"], stored["key"], version)]
    letters = []
    for record in message["Records"]:
        stored = record["s3"]["object"]
        version = stored.get("versionId"), stored.get("eTag", ""), stored.get("sequencer", "")
        # Only S3's own events have URL-encoded keys.
        letters.append(
            _letter(record["s3"]["bucket"]["name"], unquote_plus(stored["key"]), version)
        )
    return letters


def _letter(bucket: str, key: str, version: tuple[str | None, str, str]) -> IntakeDeadLetter:
    version_id, etag, sequencer = version
    name = object_version(version_id, etag=etag, sequencer=sequencer)
    return IntakeDeadLetter(upload_id(bucket, key, name), key, _FAILED)
