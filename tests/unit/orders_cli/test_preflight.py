"""Does anybody hear of a file that would be stored, and is it the right pipeline?"""

from typing import Any

import pytest

from orders_cli.failures import SettingWrong
from orders_cli.preflight import check_listener

KEY = "uploads/20260101T000000Z-ab-march.jsonl"
INTAKE_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-intake"


def told(
    *, arn: str = "arn:aws:sqs:eu-central-1:1:orders-intake", **filters: str
) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    created = {"Events": ["s3:ObjectCreated:Put"], "Filter": {"Key": {"FilterRules": rules}}}
    kind, name = {
        "sqs": ("QueueConfigurations", "QueueArn"),
        "sns": ("TopicConfigurations", "TopicArn"),
        "lambda": ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    }[arn.split(":")[2]]
    return {kind: [{**created, name: arn}]}


@pytest.mark.parametrize(
    "configuration",
    [
        told(prefix="uploads/"),
        told(Prefix="uploads/", Suffix=".jsonl"),
        told(),
        told(arn="arn:aws:sns:eu-central-1:1:fan-out", prefix="uploads/"),
        told(arn="arn:aws:lambda:eu-central-1:1:function:orders-producer"),
        {"EventBridgeConfiguration": {}},
        told(arn="arn:aws:sqs:eu-central-1:1:audit")
        | told(arn="arn:aws:lambda:eu-central-1:1:function:orders-producer"),
    ],
)
def test_a_bucket_that_notifies_a_listener_is_ready(
    configuration: dict[str, Any],
) -> None:
    check_listener(configuration, "bucket", KEY, INTAKE_URL)


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        told(prefix="incoming/"),
        told(prefix="uploads/", suffix=".csv"),
        {"QueueConfigurations": [{"QueueArn": "a:b", "Events": ["s3:ObjectRemoved:*"]}]},
    ],
)
def test_a_bucket_that_notifies_nobody_is_not(configuration: dict[str, Any]) -> None:
    with pytest.raises(SettingWrong, match="Nothing would read the file"):
        check_listener(configuration, "bucket", KEY, INTAKE_URL)


def test_a_bucket_that_notifies_another_queue_belongs_to_another_pipeline() -> None:
    elsewhere = told(arn="arn:aws:sqs:eu-central-1:1:staging-intake")

    with pytest.raises(SettingWrong, match="two pipelines"):
        check_listener(elsewhere, "bucket", KEY, INTAKE_URL)
    check_listener(elsewhere, "bucket", KEY, None)


def test_one_of_several_queues_is_enough() -> None:
    both = [
        *told(arn="arn:aws:sqs:eu-central-1:1:audit")["QueueConfigurations"],
        *told()["QueueConfigurations"],
    ]

    check_listener({"QueueConfigurations": both}, "bucket", KEY, INTAKE_URL)
