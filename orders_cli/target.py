"""The AWS account or address that a command acts on, and whether it may change anything there."""

import sys
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orders_cli.failures import UsageWrong
from orders_cli.output import say

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True, slots=True)
class Target:
    """Where a command acts.

    endpoints: the addresses that are called, as boto3 resolved them.
    account: None for a stand-in for AWS.
    thing: the table and bucket, in words.
    """

    endpoints: tuple[str, ...]
    region: str
    account: str | None
    thing: str

    @property
    def is_here(self) -> bool:
        """Does all of it run on this machine, so that nothing real can be changed?"""
        return all(_is_loopback(endpoint) for endpoint in self.endpoints)

    @property
    def sentence(self) -> str:
        """Where the command acts, for people."""
        if self.account:
            return f"AWS account {self.account} in {self.region}, {self.thing}"
        place = "this machine" if self.is_here else "a stand-in for AWS"
        return f"{place} ({', '.join(dict.fromkeys(self.endpoints))}), {self.thing}"


def find_target(session: "boto3.Session", endpoints: tuple[str, ...], *, thing: str) -> Target:
    """The target of a session; asks AWS for the account unless another endpoint is set."""
    region = session.region_name or ""
    if any(_is_aws(endpoint) for endpoint in endpoints):
        account = session.client("sts").get_caller_identity()["Account"]
        return Target(endpoints, region, account, thing)
    return Target(endpoints, region, None, thing)


def confirm(target: Target, what: str, *, yes: bool) -> None:
    """Ask a person before a real account is changed. Raises UsageWrong if nobody agrees."""
    if yes or target.is_here:
        return
    if not sys.stdin.isatty():
        raise UsageWrong(
            f"To {what} on {target.sentence} needs confirmation, and there is no terminal to ask.",
            hint="Add --yes if you mean it.",
        )
    say(f"About to {what} on {target.sentence}.")
    sys.stderr.write("Continue? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageWrong("Nothing was changed.")


def _is_aws(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
