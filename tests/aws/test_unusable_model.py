"""A model of orders that the real Lambda (ministack) cannot import: no line is read or rejected."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.producer_pipeline import Pipeline, deployed_pipeline

pytestmark = pytest.mark.aws

ORDER = b'{"number": "S-1"}\n'
MODEL = "models.absent:ShopOrder"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unusable") / "aws"


@pytest.fixture(scope="module")
def pipeline(aws: Path) -> Iterator[Pipeline]:
    parameters = {
        "OrderModel": MODEL,
        "FunctionSeconds": "5",
        "VisibilitySeconds": "6",
        "MaxReceiveCount": "2",
    }
    with deployed_pipeline(aws, parameters) as deployed:
        yield deployed


def test_the_event_ends_in_the_dead_letter_queue_and_the_log_names_the_setting(
    pipeline: Pipeline, aws: Path
) -> None:
    queue, key = pipeline.outputs["IntakeDeadLetterQueueUrl"], "uploads/own.jsonl"

    def given_up() -> bool:
        # S3's test event may be there as well: it comes when the notification is set.
        found = pipeline.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return any(key in message["Body"] for message in found.get("Messages", ()))

    upload = pipeline.upload(ORDER, key)
    eventually(given_up, "an event in the intake's dead-letter queue", seconds=60.0)

    assert pipeline.ledger.read_account(upload) is None
    assert list(pipeline.records()) == []
    log = "".join(file.read_text(errors="replace") for file in aws.rglob("*.log"))
    assert f"ORDERS_ORDER_MODEL {MODEL} cannot be imported (ModuleNotFoundError" in log
