"""Does the consumer's template run one locked-in worker at a time, and miss it when it is gone?"""

from typing import Any

import pytest

from tests.support.template import Template, read_template

LEASE_TABLE = "table/${Application}${LeaseTableSuffix}"
LONGEST_STOP_SECONDS = 120


@pytest.fixture
def consumer() -> Template:
    return read_template("consumer")


@pytest.fixture
def container(consumer: Template) -> dict[str, Any]:
    (task,) = consumer.of_type("AWS::ECS::TaskDefinition").values()
    (container,) = task["ContainerDefinitions"]
    return dict(container)


def test_the_old_task_has_ended_before_the_new_one_starts(consumer: Template) -> None:
    (service,) = consumer.of_type("AWS::ECS::Service").values()

    deployment = service["DeploymentConfiguration"]
    assert deployment["MinimumHealthyPercent"] == 0
    assert deployment["MaximumPercent"] == 100
    assert service["AvailabilityZoneRebalancing"] == "DISABLED"


def test_the_container_is_nobody_and_can_write_only_to_tmp(container: dict[str, Any]) -> None:
    user, group = container["User"].split(":")

    assert int(user) >= 10_000
    assert int(group) >= 10_000
    assert container["ReadonlyRootFilesystem"] is True
    assert container["Privileged"] is False
    assert container["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]
    writable = [m["ContainerPath"] for m in container["MountPoints"] if not m["ReadOnly"]]
    assert writable == ["/tmp"]  # noqa: S108 - a path inside the container


def test_a_stop_waits_for_the_longest_attempt(
    consumer: Template, container: dict[str, Any]
) -> None:
    longest_attempt = consumer.body["Parameters"]["AttemptSeconds"]["MaxValue"]

    assert container["StopTimeout"] == LONGEST_STOP_SECONDS
    assert longest_attempt < LONGEST_STOP_SECONDS


def test_a_worker_that_waits_for_a_leader_lock_is_not_taken_for_dead(
    container: dict[str, Any],
) -> None:
    check = container["HealthCheck"]

    assert "/healthz" in check["Command"][-1]
    assert check["StartPeriod"] + check["Retries"] * check["Interval"] > 180


def test_no_secret_stands_in_the_task_definition(container: dict[str, Any]) -> None:
    assert "Secrets" not in container
    assert "ORDERS_API_TOKEN" not in {v.get("Name") for v in container["Environment"]}


def test_it_lets_nobody_in_by_itself(consumer: Template) -> None:
    (group,) = consumer.of_type("AWS::EC2::SecurityGroup").values()

    assert "SecurityGroupIngress" not in group
    assert consumer.resources["MetricsIngress"]["Condition"] == "HasMetricsClient"


def test_kcl_may_do_what_it_does_and_no_more(consumer: Template) -> None:
    allowed = {s.name: s for s in consumer.role_statements()}

    items = {"Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem"}
    tables = {"CreateTable", "DescribeTable"}
    assert _calls(allowed["TaskRole/ReadStream"].actions) == {
        "ListShards",
        "GetShardIterator",
        "GetRecords",
        "DescribeStreamSummary",
    }
    assert _calls(allowed["TaskRole/PutEndMarkers"].actions) == {"PutRecord"}
    assert _calls(allowed["TaskRole/KeepLeases"].actions) == {"UpdateTable"} | tables | items
    assert _calls(allowed["TaskRole/LeadAndReport"].actions) == tables | items
    assert _calls(allowed["TaskRole/FindOwnLeases"].actions) == {"Query"}
    (lease_table,) = allowed["TaskRole/KeepLeases"].resources
    assert lease_table["Fn::Sub"].endswith(LEASE_TABLE)
    endings = {r["Fn::Sub"].rsplit("-", 1)[1] for r in allowed["TaskRole/LeadAndReport"].resources}
    assert endings == {"CoordinatorState", "WorkerMetricStats"}


def test_it_may_read_its_own_secrets_and_no_others(consumer: Template) -> None:
    reads = {
        statement.name: (statement.actions, statement.resources)
        for statement in consumer.role_statements()
        if any(a.startswith(("secretsmanager:", "ssm:", "kms:")) for a in statement.actions)
    }

    parameter = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter"
    assert reads == {
        "TaskRole/ReadApiToken": (
            ("secretsmanager:GetSecretValue",),
            ({"Ref": "ApiTokenSecretArn"},),
        ),
        "TaskRole/ReadApiTokenParameter": (
            ("ssm:GetParameter",),
            ({"Fn::Sub": f"{parameter}${{ApiTokenParameter}}"},),
        ),
        "TaskRole/ReadCertificateKey": (
            ("secretsmanager:GetSecretValue",),
            ({"Ref": "ApiKeySecretArn"},),
        ),
        "TaskRole/DecryptApiToken": (("kms:Decrypt",), ({"Ref": "ApiTokenKeyArn"},)),
        "TaskRole/UseKey": (("kms:Decrypt", "kms:GenerateDataKey"), ({"Ref": "KmsKeyArn"},)),
    }


@pytest.mark.parametrize("alarm", ["ConsumerAbsentAlarm", "LeasesNotRenewedAlarm"])
def test_silence_of_a_dead_consumer_is_an_alarm(consumer: Template, alarm: str) -> None:
    silent = consumer.of_type("AWS::CloudWatch::Alarm")[alarm]

    assert silent["TreatMissingData"] == "breaching"
    assert "AlarmActions" in silent


def test_no_metric_of_a_reader_is_taken_as_a_sign_of_life(consumer: Template) -> None:
    metrics = {a["MetricName"] for a in consumer.of_type("AWS::CloudWatch::Alarm").values()}

    # At 1/s the daemon reads the stream hours apart.
    assert not {name for name in metrics if name.startswith("GetRecords")}


def test_names_are_those_that_the_pipeline_gives(consumer: Template) -> None:
    pipeline = read_template("pipeline")
    text = consumer.path.read_text(encoding="utf-8")

    for resource, key in (
        ("OrderStream", "Name"),
        ("Ledger", "TableName"),
        ("IntakeQueue", "QueueName"),
        ("IntakeDeadLetterQueue", "QueueName"),
    ):
        name = pipeline.resources[resource]["Properties"][key]["Fn::Sub"]
        assert name in text


def test_the_lease_tables_are_those_of_the_pipeline_unless_the_kcl_made_them(
    consumer: Template,
) -> None:
    tables = read_template("pipeline").of_type("AWS::DynamoDB::Table")
    ours = f"${{Application}}{consumer.default('LeaseTableSuffix')}"

    names = {name: tables[name]["TableName"]["Fn::Sub"] for name in tables if name != "Ledger"}
    assert names == {
        "LeaseTable": ours,
        "CoordinatorTable": f"{ours}-CoordinatorState",
        "WorkerMetricsTable": f"{ours}-WorkerMetricStats",
    }
    assert consumer.body["Parameters"]["LeaseTableSuffix"]["AllowedValues"] == ["-leases", ""]


def _calls(actions: tuple[str, ...]) -> set[str]:
    return {action.split(":", 1)[1] for action in actions}
