"""The account that an environment is deployed to, and its clients."""

import os
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

from orders_cli.deploy.environment_file import Environment, load_environment
from orders_cli.deploy.stacks import Stacks
from orders_cli.failures import SettingWrong
from orders_cli.output import say
from orders_cli.target import Target, confirm, find_target

_CONFIG = Config(connect_timeout=5.0, read_timeout=60.0, retries={"mode": "standard"})


@dataclass(frozen=True, slots=True)
class DeployAccount:
    """Where one environment lives."""

    environment: Environment
    session: boto3.Session
    account: str
    partition: str
    target: Target
    config: Config = _CONFIG

    @property
    def region(self) -> str:
        """The region."""
        return self.session.region_name or ""

    @property
    def stacks(self) -> Stacks:
        """Its CloudFormation."""
        client = self.session.client("cloudformation", config=self.config)
        # On this machine a stack takes less than a second.
        return Stacks(client, tell=say, poll_seconds=0.1 if self.target.is_here else 2.0)

    def confirm(self, what: str, *, yes: bool) -> None:
        """Ask before a real account is changed. Raises UsageWrong."""
        confirm(self.target, what, yes=yes)


def open_account(file: Path, name: str) -> DeployAccount:
    """Read the environment, and say on stderr where it is. Raises SettingWrong."""
    environment = load_environment(file, name)
    region = environment.region or os.environ.get("AWS_REGION")
    session = boto3.Session(region_name=region or os.environ.get("AWS_DEFAULT_REGION") or None)
    if not session.region_name:
        raise SettingWrong(
            f"{file}: {name} has no region, and AWS_REGION is not set;", hint="set one of them."
        )
    caller = session.client("sts", config=_CONFIG).get_caller_identity()
    if environment.account and caller["Account"] != environment.account:
        raise SettingWrong(
            f"{file}: {name} belongs to account {environment.account}, but the credentials are of "
            f"{caller['Account']}.",
            hint="Set AWS_PROFILE to one of that account.",
        )
    # Every service that is called, because each may have an address of its own.
    endpoints = (
        session.client("cloudformation").meta.endpoint_url,
        session.client("s3").meta.endpoint_url,
        session.client("lambda").meta.endpoint_url,
        session.client("dynamodb").meta.endpoint_url,
        session.client("kinesis").meta.endpoint_url,
    )
    thing = f"environment {name} (application {environment.application})"
    target = find_target(session, endpoints, thing=thing)
    say(f"orders: acting on {target.sentence}")
    return DeployAccount(
        environment, session, caller["Account"], caller["Arn"].split(":")[1], target
    )
