"""Does `orders deploy` build, push and deploy the consumer, as far as moto and stubs go?"""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from orders_cli.deploy.account import DeployAccount
from orders_cli.deploy.consumer_rollout import plan_consumer
from orders_cli.deploy.environment_file import Environment
from orders_cli.deploy.image import find_builder
from orders_cli.failures import CommandFailed
from orders_cli.target import Target

pytestmark = pytest.mark.aws

REGION = "eu-central-1"
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
if [ "$1" = login ]; then cat > /dev/null; fi
if [ "$1" = push ]; then exit "${PUSH_ENDS_WITH:-0}"; fi
"""


@pytest.fixture(params=["docker", "podman", "buildah"])
def builder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One builder alone on the PATH; it writes down how it was called."""
    name: str = request.param
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / name).write_text(STUB, encoding="utf-8")
    (tmp_path / "bin" / name).chmod(0o755)
    for tool in ("basename", "cat", "sh"):
        (tmp_path / "bin" / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return name


def account() -> DeployAccount:
    session = boto3.Session("key", "secret", region_name=REGION)
    ec2 = session.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
    environment = Environment.model_validate(
        {
            "application": "shop",
            "network": {"vpc_id": vpc, "subnet_ids": subnets},
            "api": {"url": "https://api.example.com/orders/{order_id}", "auth": "none"},
        }
    )
    target = Target(("http://localhost",), REGION, None, "a test")
    return DeployAccount(environment, session, "123456789012", "aws", target)


@mock_aws
def test_a_push_that_fails_ends_the_deployment(
    builder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PUSH_ENDS_WITH", "7")

    with pytest.raises(CommandFailed, match=f"`{builder} push` ended with 7"):
        plan_consumer(account())

    login, build, _ = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert login.startswith(f"{builder} login --username AWS --password-stdin 123456789012.dkr.ecr")
    assert f"--platform linux/amd64 --tag 123456789012.dkr.ecr.{REGION}" in build


@mock_aws
def test_a_push_that_leaves_no_image_is_not_believed(builder: str) -> None:
    with pytest.raises(CommandFailed, match="does not have"):
        plan_consumer(account())

    ecr = boto3.client("ecr", region_name=REGION)
    (made,) = ecr.describe_repositories()["repositories"]
    assert builder
    assert made["imageTagMutability"] == "IMMUTABLE"


def test_without_a_builder_the_sentence_names_all_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandFailed, match="docker, podman or buildah"):
        find_builder()
