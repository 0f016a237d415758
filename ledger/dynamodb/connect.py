"""Opening the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from ledger.dynamodb.ledger import DynamoLedger
from ledger.dynamodb.unreachable import unreachable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE_CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""DynamoDB answers in milliseconds; a longer wait means that the connection is gone."""
CALL_ATTEMPTS = 4
"""How often a call is tried, throttles and time-outs included: at most about 35 s in all."""
CONNECTIONS = 32
"""How many threads may call at once without waiting for each other."""


def open_ledger(
    table: str,
    *,
    answer_seconds: float = ANSWER_SECONDS,
    attempts: int = CALL_ATTEMPTS,
    connections: int = CONNECTIONS,
) -> DynamoLedger:
    """Open the ledger in this table, with the credentials, region and endpoint of the environment.

    No call goes out yet. Raises LedgerUnreachable if the region or the endpoint is unusable.
    """
    client = dynamodb_client(
        table, answer_seconds=answer_seconds, attempts=attempts, connections=connections
    )
    return DynamoLedger(client, table)


def dynamodb_client(
    table: str,
    *,
    answer_seconds: float = ANSWER_SECONDS,
    attempts: int = CALL_ATTEMPTS,
    connections: int = CONNECTIONS,
) -> DynamoDBClient:
    """A client to call the ledger's table with, as open_ledger; `table` is named in errors."""
    config = Config(
        connect_timeout=TABLE_CONNECT_SECONDS,
        read_timeout=answer_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
        tcp_keepalive=True,
        # Our types ensure what it would check, and it costs a tenth of a millisecond a call.
        parameter_validation=False,
    )
    try:
        return boto3.session.Session().client("dynamodb", config=config)
    except (BotoCoreError, ValueError) as error:
        raise unreachable(error, table=table, endpoint="an unknown endpoint") from error
