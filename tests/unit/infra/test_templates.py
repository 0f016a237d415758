"""Are both templates sound CloudFormation, and do they keep, hide and forbid what they should?"""

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]

from tests.unit.infra.template import Template, read_template

TEMPLATES = ("pipeline", "consumer")
# ECR gives a login token for the whole account or not at all.
ANY_RESOURCE = {"ExecutionRole/LogInToRegistry"}


@pytest.fixture(params=TEMPLATES)
def template(request: pytest.FixtureRequest) -> Template:
    return read_template(request.param)


def test_cfn_lint_finds_nothing(template: Template) -> None:
    findings = [str(finding) for finding in lint_file(template.path)]

    assert findings == []


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


def test_settings_are_named_as_the_programs_name_them(template: Template) -> None:
    names: set[str] = set()
    for function in template.of_type("AWS::Lambda::Function").values():
        names |= function["Environment"]["Variables"].keys()
    for task in template.of_type("AWS::ECS::TaskDefinition").values():
        for variable in task["ContainerDefinitions"][0]["Environment"]:
            names.add((variable["Fn::If"][1] if "Fn::If" in variable else variable)["Name"])

    assert names
    assert all(name.startswith("ORDERS_") or name == "AWS_REGION" for name in names)
