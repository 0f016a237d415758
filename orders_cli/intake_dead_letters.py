"""The events in the intake's dead-letter queue, and the uploads that they name.

Looking takes nothing away: messages are received with a visibility time-out of 0 seconds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orders.s3_event import EventUnknown
from orders.upload import UploadId
from producer_lambda.upload_requests import requests_of_message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LOOKS = 5
"""Each look shows at most 10 messages, some of them again."""

_THERE = "it is in the intake's dead-letter queue"
_FAILED = (
    "the producer failed on it again and again, and its event is in the intake's dead-letter "
    "queue: see the producer's log, then move the event back to the intake queue"
)


@dataclass(frozen=True, slots=True)
class IntakeDeadLetter:
    """An event that the producer could not process. upload: None where it names none."""

    upload: UploadId | None
    key: str
    reason: str


def peek(sqs: "SQSClient", url: str) -> list[IntakeDeadLetter]:
    """The events in the queue, at most LOOKS * 10 of them."""
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
    """What one message was about; an S3 event may name several objects."""
    try:
        requests = requests_of_message(body)
    except EventUnknown as error:
        return [IntakeDeadLetter(None, "", f"{error}; {_THERE}")]
    return [
        IntakeDeadLetter(one.upload, one.source.key if one.source else "", _FAILED)
        for one in requests
    ] or [IntakeDeadLetter(None, "", f"the event names no object; {_THERE}")]
