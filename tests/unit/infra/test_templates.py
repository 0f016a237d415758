"""Are both templates sound CloudFormation, and do they keep, hide and forbid what they should?"""

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]

from consumer.settings import ConsumerSettings
from producer_lambda.settings import ProducerSettings
from tests.support.template import Template, read_template

TEMPLATES = ("pipeline", "consumer")
# ECR gives a login token for the whole account or not at all.
ANY_RESOURCE = {"ExecutionRole/LogInToRegistry"}


@pytest.fixture(params=TEMPLATES)
def template(request: pytest.FixtureRequest) -> Template:
    return read_template(request.param)


def test_cfn_lint_finds_nothing(template: Template) -> None:
    findings = [str(finding) for finding in lint_file(template.path)]

    assert findings == []


def test_it_is_small_enough_to_be_sent_without_a_bucket(template: Template) -> None:
    assert template.path.stat().st_size <= 51_200, "CloudFormation's limit of a TemplateBody"


def test_every_role_allows_named_actions_on_named_resources(template: Template) -> None:
    statements = list(template.role_statements())

    assert statements
    for statement in statements:
        assert statement.effect == "Allow"
        assert not [action for action in statement.actions if "*" in action], statement
        if statement.name not in ANY_RESOURCE:
            assert "*" not in statement.resources, statement


def test_every_parameter_says_what_it_is_for(template: Template) -> None:
    silent = [name for name, p in template.body["Parameters"].items() if not p.get("Description")]

    assert silent == []


def test_every_log_is_kept_for_a_set_time(template: Template) -> None:
    logs = template.of_type("AWS::Logs::LogGroup")

    assert logs
    assert all("RetentionInDays" in log for log in logs.values())


def test_every_alarm_says_what_missing_data_mean_and_where_to_read_on(template: Template) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm")

    assert alarms
    assert all("TreatMissingData" in alarm for alarm in alarms.values())
    for name, alarm in alarms.items():
        notifies = "AlarmActions" in alarm
        assert ("docs/operations.md" in alarm["AlarmDescription"]) == notifies, name


@pytest.mark.parametrize(
    ("type_name", "place"),
    [
        ("AWS::S3::Bucket", "BucketEncryption"),
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::Kinesis::Stream", "StreamEncryption"),
        ("AWS::DynamoDB::Table", "SSESpecification"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Lambda::Function", "KmsKeyArn"),
    ],
)
def test_a_key_of_ones_own_is_used_wherever_orders_are_kept(type_name: str, place: str) -> None:
    kept = [found for name in TEMPLATES for found in read_template(name).of_type(type_name).items()]

    assert kept
    for name, properties in kept:
        assert "'Ref': 'KmsKeyArn'" in str(properties[place]), name


def test_the_function_gets_every_setting_that_the_producer_has() -> None:
    (function,) = read_template("pipeline").of_type("AWS::Lambda::Function").values()

    given = function["Environment"]["Variables"].keys()
    assert given == {f"ORDERS_{name.upper()}" for name in ProducerSettings.model_fields}


def test_the_task_gets_only_settings_that_the_consumer_has() -> None:
    (task,) = read_template("consumer").of_type("AWS::ECS::TaskDefinition").values()

    variables = task["ContainerDefinitions"][0]["Environment"]
    given = {(v["Fn::If"][1] if "Fn::If" in v else v)["Name"] for v in variables}
    assert given - {"AWS_REGION"} <= {f"ORDERS_{n.upper()}" for n in ConsumerSettings.model_fields}
