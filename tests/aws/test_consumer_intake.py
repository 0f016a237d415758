"""The intake's dead letters are counted through the queue's own redrive policy."""

import json

import boto3
import pytest
from moto import mock_aws

from consumer.telemetry.dead_letter_queue import count_intake_dead_letters

pytestmark = pytest.mark.aws


@mock_aws
def test_messages_in_the_dead_letter_queue_are_counted() -> None:
    sqs = boto3.client("sqs", region_name="eu-central-1")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = json.dumps({"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 5})
    intake = sqs.create_queue(QueueName="intake", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    for _ in range(3):
        sqs.send_message(QueueUrl=dead, MessageBody="{}")

    assert count_intake_dead_letters(sqs, intake) == 3


@mock_aws
def test_a_queue_without_a_dead_letter_queue_has_no_count() -> None:
    sqs = boto3.client("sqs", region_name="eu-central-1")
    intake = sqs.create_queue(QueueName="intake")["QueueUrl"]

    assert count_intake_dead_letters(sqs, intake) is None
