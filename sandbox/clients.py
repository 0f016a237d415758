"""How does the sandbox itself speak to its embedded AWS?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto3.session import Session
from botocore.config import Config

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
