"""The embedded AWS: a process that stays on this machine, and the clients to call it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto3.session import Session
from botocore.config import Config

from sandbox.folder import SandboxFolder
from sandbox.sandbox_options import HOST
from sandbox.subprocesses import Subprocess, Subprocesses

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"
ACCESS_KEY_ID = "sandbox"
SECRET_ACCESS_KEY = "sandbox"  # noqa: S105 - the embedded AWS takes any

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"total_max_attempts": 2},
    proxies={},
    s3={"addressing_style": "path"},
)


@dataclass(frozen=True, slots=True)
class EmbeddedClients:
    """Clients of one embedded AWS, whatever the machine's own AWS settings say."""

    cloudformation: "CloudFormationClient"
    dynamodb: "DynamoDBClient"
    kinesis: "KinesisClient"
    s3: "S3Client"


def embedded_clients(endpoint_url: str) -> EmbeddedClients:
    """Clients of the embedded AWS at this address."""
    session = Session(
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        region_name=REGION,
    )
    return EmbeddedClients(
        session.client("cloudformation", endpoint_url=endpoint_url, config=_CONFIG),
        session.client("dynamodb", endpoint_url=endpoint_url, config=_CONFIG),
        session.client("kinesis", endpoint_url=endpoint_url, config=_CONFIG),
        session.client("s3", endpoint_url=endpoint_url, config=_CONFIG),
    )


def start_aws(
    subprocesses: Subprocesses, folder: SandboxFolder, port: int, around: Mapping[str, str]
) -> Subprocess:
    """Start ministack on 127.0.0.1; `around` is this process's environment."""
    return subprocesses.start(
        [sys.executable, "-m", "ministack"],
        aws_environment(folder, port, around),
        folder=folder.aws,
        log=folder.log_of("aws"),
    )


def aws_environment(folder: SandboxFolder, port: int, around: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of ministack and of the Lambda runs inside it.

    It must not listen elsewhere, persist outside its folder, or find a Docker daemon: it would
    remove containers of other ministacks there.
    """
    temporary = folder.aws / "tmp"
    return {
        "PATH": around.get("PATH", "/usr/bin:/bin"),
        "LANG": "C.UTF-8",
        "HOME": str(folder.aws),
        "TMPDIR": str(temporary),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "STATE_DIR": str(folder.aws / "state"),
        "S3_DATA_DIR": str(folder.aws / "s3"),
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
