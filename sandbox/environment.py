"""The environment of a sandbox's worker, and of the shells that source sandbox.env."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from orders.rate import Rate
from sandbox.configured_api import ConfiguredApi
from sandbox.embedded_aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from sandbox.folder import SandboxFolder
from sandbox.pipeline import Pipeline
from sandbox.sandbox_options import HOST, SandboxPorts

APPLICATION = "orders"
WORKER_ID = "orders"

# What a person may set before `orders sandbox up`; it is passed to the worker and sandbox.env.
TUNABLE = (
    "ORDERS_API_AUTH",
    "ORDERS_API_BODY",
    "ORDERS_API_CLIENT_AUTH",
    "ORDERS_API_CLIENT_ID",
    "ORDERS_API_CONTENT_TYPE",
    "ORDERS_API_HEADERS",
    "ORDERS_API_IDEMPOTENCY_HEADER",
    "ORDERS_API_METHOD",
    "ORDERS_API_SCOPE",
    "ORDERS_API_SIGV4_REGION",
    "ORDERS_API_SIGV4_SERVICE",
    "ORDERS_API_STATUSES",
    "ORDERS_API_TOKEN_URL",
    "ORDERS_ATTEMPT_SECONDS",
    "ORDERS_BATCH",
    "ORDERS_BATCH_FORMAT",
    "ORDERS_BATCH_LINGER_SECONDS",
    "ORDERS_BATCH_RESULTS",
    "ORDERS_CLOUDWATCH_NAMESPACE",
    "ORDERS_CLOUDWATCH_SECONDS",
    "ORDERS_CONFLICT",
    "ORDERS_DUPLICATES",
    "ORDERS_FAILED_ALONE",
    "ORDERS_HOURS",
    "ORDERS_JAVA",
    "ORDERS_JAVA_MEGABYTES",
    "ORDERS_LANES",
    "ORDERS_LOG_LEVEL",
    "ORDERS_ORDER_ID_FIELD",
    "ORDERS_ORDER_MAPPING",
    "ORDERS_ORDER_MODEL",
    "ORDERS_QUOTA",
    "ORDERS_REFUSAL_BUDGET",
    "ORDERS_RETENTION_HOURS",
    "ORDERS_SHARD_BYTES_PER_SECOND",
    "ORDERS_TIME_ZONE",
    "ORDERS_WINDOW",
    "ORDERS_WORKERS",
)

_SERVICES = (
    *("CLOUDFORMATION", "CLOUDWATCH", "DYNAMODB", "KINESIS", "LAMBDA"),
    *("S3", "SECRETS_MANAGER", "SQS", "STS"),
)
# What would lead a process elsewhere.
_MISLEADING = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    *(f"AWS_ENDPOINT_URL_{service}" for service in _SERVICES),
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "ORDERS_API_INSECURE",
    "ORDERS_API_TOKEN_FILE",
    "ORDERS_API_TOKEN_PARAMETER",
    "ORDERS_API_TOKEN_SECRET",
)
_OURS = ("AWS_", "ORDERS_")
_LINE = re.compile(r"export ([A-Za-z_][A-Za-z0-9_]*)=(.*)")


@dataclass(frozen=True, slots=True)
class SandboxEnvironment:
    """Variables to set, and variables to unset."""

    set: Mapping[str, str]
    unset: tuple[str, ...]

    def over(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process of this sandbox, on top of the one around it."""
        kept = {
            name: value
            for name, value in environment.items()
            if not name.startswith(_OURS) and name not in self.unset
        }
        return {**kept, **self.set}


def sandbox_environment(
    around: Mapping[str, str],
    *,
    pipeline: Pipeline,
    ports: SandboxPorts,
    rate: Rate,
    folder: SandboxFolder,
) -> SandboxEnvironment:
    """The environment of a sandbox; `around` is this process's own. Raises WrongUse.

    Of ORDERS_API_URL the path is taken over: the sandbox's API stands in for the one that it names.
    """
    api = f"http://{HOST}:{ports.api}"
    tuned = {name: around[name] for name in TUNABLE if around.get(name)}
    told = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{ports.aws}",
        "ORDERS_APPLICATION": APPLICATION,
        "ORDERS_WORKER_ID": WORKER_ID,
        "ORDERS_WORKERS": "1",
        "ORDERS_BUCKET": pipeline.bucket,
        "ORDERS_STREAM": pipeline.stream,
        "ORDERS_LEDGER_TABLE": pipeline.ledger_table,
        "ORDERS_INTAKE_QUEUE_URL": pipeline.intake_queue_url,
        "ORDERS_RATE": str(rate),
        "ORDERS_API_URL": f"{api}{ConfiguredApi.from_variables(around).path}",
        "ORDERS_METRICS_HOST": HOST,
        "ORDERS_METRICS_PORT": str(ports.metrics),
        "ORDERS_RUN_FOLDER": str(folder.worker),
        "ORDERS_MACHINE_FOLDER": str(folder.machine),
        "ORDERS_SANDBOX_API": api,
        "ORDERS_METRICS_URL": f"http://{HOST}:{ports.metrics}/metrics",
    }
    told |= _credential(tuned.get("ORDERS_API_AUTH", "bearer"))
    strays = sorted(
        name
        for name in around
        if name.startswith(("ORDERS_", "AWS_ENDPOINT_URL_")) and name not in (told | tuned)
    )
    return SandboxEnvironment(told | tuned, tuple(dict.fromkeys((*_MISLEADING, *strays))))


def _credential(auth: str) -> dict[str, str]:
    """A made-up credential for a way to sign in that sends one.

    It is a text that no answer holds: dead letters keep answers with the credential removed.
    """
    match auth:
        case "basic":
            return {"ORDERS_API_TOKEN": "sandbox:token-0000"}
        case "bearer" | "oauth2":
            return {"ORDERS_API_TOKEN": "sandbox-token-0000"}
        case _ if auth.startswith("header:"):
            return {"ORDERS_API_TOKEN": "sandbox-token-0000"}
        case _:
            return {}


def env_file(environment: SandboxEnvironment) -> str:
    """One `export NAME=value` or `unset NAME` a line, quoted so that a shell expands nothing."""
    lines = [f"unset {name}" for name in environment.unset]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.set.items()]
    return "\n".join(lines) + "\n"


def read_env_file(text: str) -> SandboxEnvironment:
    """The environment that a sandbox.env holds, without a shell."""
    told: dict[str, str] = {}
    unset: list[str] = []
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is not None:
            told[found[1]] = "".join(shlex.split(found[2]))
        else:
            unset.append(line.removeprefix("unset "))
    return SandboxEnvironment(told, tuple(unset))
