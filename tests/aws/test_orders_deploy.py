"""Does `orders deploy` make the pipeline on the embedded AWS, and leave alone what holds orders?"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from orders_cli.deploy.account import open_account
from orders_cli.deploy.consumer_rollout import plan_consumer
from orders_cli.deploy.stacks import Stacks
from tests.support.own_aws import REGION, own_aws
from tests.support.template import INFRA, ROOT

pytestmark = pytest.mark.aws

SAVED = """
[test]
application = "shop"
rate = "5/s"

[test.pipeline]
LayerArn = ""  # the embedded AWS runs the function in an interpreter that has everything
FunctionSeconds = 30
"""
WITH_A_LONGER_RETENTION = SAVED.replace(
    "[test.pipeline]", "retention_hours = 4320\n[test.pipeline]"
)

WITH_A_CONSUMER = """
[test.network]
vpc_id = "vpc-00000001"
subnet_ids = ["subnet-00000001"]
[test.api]
url = "https://api.example.com/orders/{order_id}"
auth = "none"
"""


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "aws"
    folder.mkdir()
    with own_aws(folder) as endpoint:
        yield endpoint


class Shell:
    """Runs `orders` where orders.toml is."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.folder = folder
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ORDERS_"))},
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PYTHONPATH": str(ROOT),
        }

    def save(self, text: str) -> None:
        (self.folder / "orders.toml").write_text(text, encoding="utf-8")

    def orders(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orders_cli.main", *words, "--environment", "test"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def shell(tmp_path: Path, aws: str) -> Shell:
    made = Shell(tmp_path, aws)
    made.save(SAVED)
    return made


def stream_retention(aws: str) -> int:
    kinesis = boto3.client("kinesis", endpoint_url=aws, region_name=REGION)
    found = kinesis.describe_stream_summary(StreamName="shop-stream")
    return found["StreamDescriptionSummary"]["RetentionPeriodHours"]


def test_a_plan_changes_nothing_and_a_second_deployment_finds_nothing_to_change(
    shell: Shell, aws: str
) -> None:
    stacks = boto3.client("cloudformation", endpoint_url=aws, region_name=REGION)

    planned = shell.orders("deploy", "--plan")
    left = stacks.list_stacks()["StackSummaries"]
    first = shell.orders("deploy")
    second = shell.orders("deploy")

    assert planned.returncode == first.returncode == second.returncode == 0, first.stderr
    assert "create OrderStream (Kinesis::Stream)" in planned.stdout
    assert [one for one in left if one["StackStatus"] != "DELETE_COMPLETE"] == []
    assert "create complete: Ledger" in first.stderr
    assert second.stdout == "shop-pipeline: nothing to change\n"


def test_env_gives_what_the_other_commands_need(shell: Shell) -> None:
    assert shell.orders("deploy").returncode == 0

    lines = shell.orders("env").stdout.splitlines()
    variables = json.loads(shell.orders("env", "--json").stdout)["variables"]

    assert "export ORDERS_LEDGER_TABLE=shop-ledger" in lines
    assert f"export ORDERS_BUCKET=shop-000000000000-{REGION}" in lines
    assert variables["ORDERS_RETENTION_HOURS"] == "2160"


def test_a_changed_retention_is_said_and_carried_out(shell: Shell, aws: str) -> None:
    assert shell.orders("deploy").returncode == 0
    shell.save(WITH_A_LONGER_RETENTION)

    ended = shell.orders("deploy")

    assert ended.returncode == 0, ended.stderr
    assert "change OrderStream (Kinesis::Stream)" in ended.stdout
    assert stream_retention(aws) == 4320


def test_a_change_that_would_replace_the_ledger_is_recognised_as_a_loss(
    shell: Shell, aws: str
) -> None:
    assert shell.orders("deploy").returncode == 0
    client = boto3.client("cloudformation", endpoint_url=aws, region_name=REGION)
    stacks = Stacks(client, tell=print, poll_seconds=0.05)
    body = (INFRA / "pipeline.yaml").read_text(encoding="utf-8")
    renamed = body.replace("'${Application}-ledger'", "'${Application}-book'")

    plan = stacks.plan("shop-pipeline", renamed, stacks.parameters("shop-pipeline"))
    stacks.drop(plan)

    assert "Ledger" in [one.name for one in plan.losses]
    assert stacks.outputs("shop-pipeline") is not None


def test_destroy_keeps_what_holds_orders(shell: Shell, aws: str) -> None:
    assert shell.orders("deploy").returncode == 0

    ended = shell.orders("destroy")

    assert ended.returncode == 0, ended.stderr
    assert "shop-pipeline: deleted" in ended.stdout
    assert "kept: stream shop-stream" in ended.stdout
    assert stream_retention(aws) == 2160
    dynamodb = boto3.client("dynamodb", endpoint_url=aws, region_name=REGION)
    assert "shop-ledger" in dynamodb.list_tables()["TableNames"]
    assert shell.orders("env").returncode == 2


def test_destroy_with_orders_leaves_only_the_code(shell: Shell, aws: str) -> None:
    assert shell.orders("deploy").returncode == 0
    s3 = boto3.client("s3", endpoint_url=aws, region_name=REGION)
    dynamodb = boto3.client("dynamodb", endpoint_url=aws, region_name=REGION)
    bucket = f"shop-000000000000-{REGION}"
    for body in (b"old", b"new"):
        s3.put_object(Bucket=bucket, Key="reports/x", Body=body)
    s3.delete_object(Bucket=bucket, Key="reports/x")
    somebody_elses = "shop-WorkerMetricStats"  # a name like KCL's, and another key
    keys = {"shop": "leaseKey", "shop-CoordinatorState": "key", somebody_elses: "id"}
    for name, key in keys.items():
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        )

    ended = shell.orders("destroy", "--with-orders")
    again = shell.orders("destroy", "--with-orders")

    assert ended.returncode == again.returncode == 0, ended.stderr
    assert dynamodb.list_tables()["TableNames"] == [somebody_elses]
    names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert names == [f"shop-artifacts-000000000000-{REGION}"]
    kinesis = boto3.client("kinesis", endpoint_url=aws, region_name=REGION)
    assert kinesis.list_streams()["StreamNames"] == []
    assert "no such stack" in again.stdout


PUSHES = f"""#!{sys.executable}
import os, sys, boto3
open(os.environ["CALLS"], "a").write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "push":
    repository, _, tag = sys.argv[2].rpartition("/")[2].partition(":")
    manifest = '{{"schemaVersion": 2}}'
    ecr = boto3.client("ecr", region_name="{REGION}")
    ecr.put_image(repositoryName=repository, imageTag=tag, imageManifest=manifest)
"""


def test_the_consumer_s_image_is_pushed_once_and_deployed_by_digest(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(PUSHES, encoding="utf-8")
    (tmp_path / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    for name, value in {
        "ENDPOINT_URL": aws,
        "ACCESS_KEY_ID": "t",
        "SECRET_ACCESS_KEY": "t",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_REGION", REGION)
    ec2 = boto3.client("ec2", region_name=REGION)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    saved = (SAVED + WITH_A_CONSUMER).replace("vpc-00000001", vpc)
    (tmp_path / "orders.toml").write_text(saved, encoding="utf-8")
    account = open_account(tmp_path / "orders.toml", "test")
    checkout = checkout_for_the_embedded_aws(tmp_path / "checkout")

    first = plan_consumer(account, checkout=checkout)
    account.stacks.carry_out(first)
    second = plan_consumer(account, checkout=checkout)

    assert first.is_new
    assert second.is_empty
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert [one.split()[0] for one in calls] == ["login", "build", "push"]
    assert "/shop-consumer@sha256:" in account.stacks.parameters("shop-consumer")["Image"]


def checkout_for_the_embedded_aws(folder: Path) -> Path:
    """This checkout with a consumer.yaml that ministack takes: it has no composite alarms."""
    (folder / "infra").mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.name != "infra" and not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    body = (INFRA / "consumer.yaml").read_text(encoding="utf-8")
    blocks = body.split("\n\n")
    kept = [one for one in blocks if "Type: AWS::CloudWatch::CompositeAlarm" not in one]
    # It leaves a parameter that is a number as text, and then cannot count with it.
    taken = "\n\n".join(kept).replace("DesiredCount: !Ref Workers", "DesiredCount: 1")
    (folder / "infra" / "consumer.yaml").write_text(taken, encoding="utf-8")
    return folder
