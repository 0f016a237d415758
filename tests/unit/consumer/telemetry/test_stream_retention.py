"""The runway counts from what the stream keeps, which a person may change at any moment."""

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from consumer.telemetry.stream_retention import (
    RETENTION_LOOK_SECONDS,
    UNKNOWN_HOURS,
    StreamRetention,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_kinesis import KinesisClient

DAY_SECONDS = 86_400.0


@pytest.fixture
def kinesis() -> "Iterator[KinesisClient]":
    with mock_aws():
        client = boto3.client("kinesis")
        client.create_stream(StreamName="stream", ShardCount=1)
        yield client


def raise_to_a_week(kinesis: "KinesisClient") -> None:
    kinesis.increase_stream_retention_period(StreamName="stream", RetentionPeriodHours=168)


def test_the_stream_is_asked_and_asked_again_later(kinesis: "KinesisClient") -> None:
    retention = StreamRetention(kinesis, "stream", told_hours=None)
    assert retention.seconds(0.0) == DAY_SECONDS

    raise_to_a_week(kinesis)

    assert retention.seconds(RETENTION_LOOK_SECONDS - 1) == DAY_SECONDS
    assert retention.seconds(RETENTION_LOOK_SECONDS) == 7 * DAY_SECONDS


def test_a_setting_is_right_whatever_the_stream_says(kinesis: "KinesisClient") -> None:
    assert StreamRetention(kinesis, "stream", told_hours=48).seconds(0.0) == 2 * DAY_SECONDS


def test_a_stream_that_does_not_answer_is_warned_of_once(
    kinesis: "KinesisClient", caplog: pytest.LogCaptureFixture
) -> None:
    retention = StreamRetention(kinesis, "another", told_hours=None)

    for looks in range(3):
        assert retention.seconds(looks * RETENTION_LOOK_SECONDS) == UNKNOWN_HOURS * 3600.0

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ORDERS_RETENTION_HOURS" in caplog.text
