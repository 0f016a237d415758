"""The ledgers for which the contract holds.

memory      the one in memory
retried     DynamoDB in this process (moto), with every write sent twice, as botocore does where an
            answer was lost
ministack   DynamoDB in another process, over HTTP
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from socket import create_connection, socket
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from ledger.dynamodb.ledger import DynamoLedger
from ledger.memory.ledger import MemoryLedger
from tests.contract.faulty_client import tried_twice, with_fault
from tests.support.eventually import eventually
from tests.support.ledger_table import create_ledger_table
from tests.support.stores import Ledger, Store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MINISTACK = pytest.param("ministack", marks=pytest.mark.aws)
START_SECONDS = 15.0


@pytest.fixture(params=["memory", "retried", MINISTACK])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Every ledger there is."""
    yield from _store(request)


@pytest.fixture(params=["memory", MINISTACK])
def shared_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Those that several threads may use at once (moto's items may tear)."""
    yield from _store(request)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger


def _store(request: pytest.FixtureRequest) -> Iterator[Store]:
    match request.param:
        case "memory":
            memory = MemoryLedger()
            yield Store(memory, lambda: memory)
        case "retried":
            retried = with_fault(request.getfixturevalue("moto_client"), tried_twice)
            yield from _dynamo_store(lambda: retried)
        case _:
            endpoint: str = request.getfixturevalue("ministack")
            yield from _dynamo_store(lambda: boto3.client("dynamodb", endpoint_url=endpoint))


def _dynamo_store(connect: "Callable[[], DynamoDBClient]") -> Iterator[Store]:
    table = f"ledger-{uuid4().hex}"
    client = connect()
    create_ledger_table(client, table)
    yield Store(DynamoLedger(client, table), lambda: DynamoLedger(connect(), table))
    client.delete_table(TableName=table)  # moto copies every table at each transaction


@pytest.fixture(scope="module")
def moto_client() -> "Iterator[DynamoDBClient]":
    """A client of moto's DynamoDB, in this process."""
    with mock_aws():
        yield boto3.client("dynamodb")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real AWS stand-in on a free port, with a folder of its own; gives its endpoint."""
    folder = tmp_path_factory.mktemp("ministack")
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(folder),
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log
        )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    def accepts() -> bool:
        assert process.poll() is None, "ministack ended while it started"
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    eventually(accepts, "ministack's first connection", seconds=START_SECONDS)
