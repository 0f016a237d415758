"""Which uploads' events ended in the intake's dead-letter queue?

Looking takes nothing away: messages are received with a visibility time-out of 0 seconds.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orders.s3_event import EventUnknown
from orders.upload import UploadId
from producer_lambda.upload_requests import Arrived, requests_of_message

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
    """What one message was about, read as the producer does; it may name several objects."""
    try:
        requests = requests_of_message(body)
    except EventUnknown as error:
        return [IntakeDeadLetter(None, "", f"{error}; {_LIES_THERE}")]
    if not requests:
        return [IntakeDeadLetter(None, "", f"the event names no object; {_LIES_THERE}")]
    return [
        IntakeDeadLetter(
            request.upload, request.source.key if isinstance(request, Arrived) else "", _FAILED
        )
        for request in requests
    ]
