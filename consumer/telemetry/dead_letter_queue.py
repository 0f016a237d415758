"""How many messages of the intake ended as dead letters?"""

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class _Redrive(BaseModel):
    """The part that is used of a queue's redrive policy."""

    arn: str = Field(alias="deadLetterTargetArn")


def count_intake_dead_letters(sqs: "SQSClient", intake_queue_url: str) -> int | None:
    """Messages in the dead-letter queue of this queue; None where it has none.

    Raises botocore's errors.
    """
    found = sqs.get_queue_attributes(QueueUrl=intake_queue_url, AttributeNames=["RedrivePolicy"])
    policy = found.get("Attributes", {}).get("RedrivePolicy")
    if not policy:
        return None
    _, _, _, _, account, name = _Redrive.model_validate_json(policy).arn.split(":")
    url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(counted["Attributes"]["ApproximateNumberOfMessages"])
