"""The intake's dead-letter queue."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def dead_letter_queue_url(sqs: "SQSClient", queue_url: str) -> str | None:
    """The dead-letter queue of a queue; None where it has none. Raises botocore's errors."""
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])
    policy = json.loads(found.get("Attributes", {}).get("RedrivePolicy") or "{}")
    if not policy:
        return None
    _, _, _, _, account, name = policy["deadLetterTargetArn"].split(":")
    return sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]


def count_intake_dead_letters(sqs: "SQSClient", intake_queue_url: str) -> int | None:
    """Messages in the dead-letter queue of this queue; None where it has none.

    Raises botocore's errors.
    """
    url = dead_letter_queue_url(sqs, intake_queue_url)
    if url is None:
        return None
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(counted["Attributes"]["ApproximateNumberOfMessages"])
