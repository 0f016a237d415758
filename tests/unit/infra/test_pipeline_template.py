"""Does the pipeline's template lose nothing, and do its figures fit each other?"""

import pytest

from orders.id_parts import ID_PREFIX
from tests.support.template import Template, read_template

OUTPUTS = {
    "BucketName",
    "IntakeQueueUrl",
    "IntakeDeadLetterQueueUrl",
    "StreamName",
    "LedgerTableName",
    "RetentionHours",
    "LeaseTableName",
    "FunctionName",
}


@pytest.fixture
def pipeline() -> Template:
    return read_template("pipeline")


@pytest.mark.parametrize(
    "resource", ["UploadBucket", "OrderStream", "Ledger", "LeaseTable", "IntakeDeadLetterQueue"]
)
def test_what_holds_orders_or_their_place_outlives_its_stack_once_it_was_made(
    pipeline: Template, resource: str
) -> None:
    kept = pipeline.resources[resource]

    # Not plain Retain: a first deployment that fails would leave names behind that block the next.
    assert kept["DeletionPolicy"] == "RetainExceptOnCreate"
    assert kept["UpdateReplacePolicy"] == "Retain"


def test_it_tells_the_names_that_others_lean_on(pipeline: Template) -> None:
    assert pipeline.body["Outputs"].keys() == OUTPUTS


def test_the_bucket_is_private_and_keeps_every_version(pipeline: Template) -> None:
    bucket = pipeline.of_type("AWS::S3::Bucket")["UploadBucket"]

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in bucket
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    expiring = [
        rule
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if any("Expir" in name for name in rule)
    ]
    assert [rule["Prefix"] for rule in expiring] == [ID_PREFIX, ID_PREFIX]


@pytest.mark.parametrize(
    "policy", ["UploadBucketPolicy", "IntakeQueuePolicy", "IntakeDeadLetterQueuePolicy"]
)
def test_bucket_and_queues_are_reached_over_tls_only(pipeline: Template, policy: str) -> None:
    document = pipeline.resources[policy]["Properties"]["PolicyDocument"]

    denials = [s for s in document["Statement"] if s["Effect"] == "Deny"]
    assert [s["Condition"] for s in denials] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_a_message_stays_hidden_for_six_times_the_longest_run(pipeline: Template) -> None:
    function_seconds = int(pipeline.default("FunctionSeconds"))

    assert int(pipeline.default("VisibilitySeconds")) >= 6 * function_seconds


def test_no_run_is_refused_that_the_mapping_may_start(pipeline: Template) -> None:
    mapping_runs = int(pipeline.default("MappingRuns"))

    assert int(pipeline.default("FunctionReservedRuns")) >= mapping_runs


def test_the_number_behind_each_choice_of_runs_is_that_choice(pipeline: Template) -> None:
    choices = pipeline.body["Parameters"]["MappingRuns"]["AllowedValues"]

    numbers = {
        name: row["Number"] for name, row in pipeline.body["Mappings"]["MappingRuns"].items()
    }
    assert numbers == {choice: int(choice) for choice in choices}


def test_a_file_may_pass_through_the_producer_as_often_as_it_needs(pipeline: Template) -> None:
    producer = pipeline.of_type("AWS::Lambda::Function")["Producer"]

    assert producer["RecursiveLoop"] == "Allow"
    assert producer["Handler"] == "producer_lambda.handler.handler"


def test_a_message_that_failed_alone_comes_back_alone(pipeline: Template) -> None:
    mapping = pipeline.of_type("AWS::Lambda::EventSourceMapping")["ProducerIntake"]

    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_producer_may_touch_only_its_own_prefixes(pipeline: Template) -> None:
    allowed = {s.name: s for s in pipeline.role_statements()}

    assert allowed["ProducerRole/ReadUploads"].resources == (
        {"Fn::Sub": "${UploadBucket.Arn}/${UploadPrefix}*"},
    )
    assert allowed["ProducerRole/WriteReports"].resources == (
        {"Fn::Sub": "${UploadBucket.Arn}/${ReportPrefix}*"},
    )
    assert allowed["ProducerRole/CompareOrderIds"].resources == (
        {"Fn::Sub": f"${{UploadBucket.Arn}}/{ID_PREFIX}*"},
    )


def test_the_producer_may_write_to_the_stream_in_order_only(pipeline: Template) -> None:
    allowed = {s.name: s for s in pipeline.role_statements()}

    assert allowed["ProducerRole/WriteStream"].actions == (
        "kinesis:PutRecord",
        "kinesis:ListShards",
    )


def test_the_ledger_has_the_keys_the_index_and_the_safety_net(pipeline: Template) -> None:
    ledger = pipeline.of_type("AWS::DynamoDB::Table")["Ledger"]

    keys = [(key["AttributeName"], key["KeyType"]) for key in ledger["KeySchema"]]
    assert keys == [("pk", "HASH"), ("sk", "RANGE")]
    (index,) = ledger["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "listing"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["listing", "listed_at"]
    assert index["Projection"] == {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": ["ended", "lanes", "linked", "redriven_as"],
    }
    assert ledger["BillingMode"] == "PAY_PER_REQUEST"
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
