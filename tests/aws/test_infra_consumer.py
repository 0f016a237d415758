"""Does infra/consumer.yaml deploy, as far as moto's CloudFormation goes?

moto knows none of LACKING, and leaves out the group's egress, and CPU and memory of the task;
ministack refuses the whole template for its composite alarm. These are held to CloudFormation's
schema by cfn-lint alone.
"""

import sys
import warnings
from collections.abc import Iterator
from unittest.mock import MagicMock

import boto3
import pytest
from moto import mock_aws

from tests.support.template import INFRA, read_template

pytestmark = pytest.mark.aws

LACKING = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
# moto's CloudFormation imports every service it knows, API Gateway with this validator among them.
NOT_INSTALLED = ("", ".validation", ".validation.exceptions")


@pytest.fixture(scope="module")
def warned() -> Iterator[list[str]]:
    """What moto warned of while it deployed the stack, which stays for the tests."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for part in NOT_INSTALLED:
            patch.setitem(sys.modules, f"openapi_spec_validator{part}", MagicMock())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            deploy(ApiUrl="https://api.example.com:8443/orders/{order_id}", Workers="2")
        yield [str(one.message) for one in caught]


def deploy(**parameters: str) -> None:
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    given = {"Image": "image", "VpcId": vpc, "SubnetIds": subnet, **parameters}
    boto3.client("cloudformation").create_stack(
        StackName="consumer",
        TemplateBody=(INFRA / "consumer.yaml").read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
    )


def test_all_of_it_is_made_but_what_moto_lacks(warned: list[str]) -> None:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="consumer")["Stacks"]

    types = {resource["Type"] for resource in read_template("consumer").resources.values()}
    lacking = {name for name in types if any(f"parse {name} but" in said for said in warned)}
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert lacking == LACKING


@pytest.mark.usefixtures("warned")
def test_the_service_runs_the_task_that_the_parameters_ask_for() -> None:
    ecs = boto3.client("ecs")

    (service,) = ecs.describe_services(cluster="orders", services=["orders-consumer"])["services"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    # moto leaves a gap where AWS::NoValue stands in a list.
    told = {one["name"]: one["value"] for one in container["environment"] if one}

    assert service["desiredCount"] == 2
    assert told["ORDERS_API_URL"] == "https://api.example.com:8443/orders/{order_id}"
    assert told["ORDERS_LEASE_TABLE"] == "orders-leases"
    assert told["ORDERS_WORKERS"] == "2"
    assert "ORDERS_RETENTION_HOURS" not in told
