"""What must not be missed is made in the sandbox, and the worker's log has the line for it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
import requests

from sandbox.running import running_sandbox
from tests.support.command_desk import Desk, order_line
from tests.support.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.kcl]

SETTINGS = {
    "ORDERS_CLOUDWATCH_NAMESPACE": "PacedOrders",
    "ORDERS_CLOUDWATCH_SECONDS": "1",
    "ORDERS_REFUSAL_BUDGET": "2,5%",
    "ORDERS_RETENTION_HOURS": "48",  # a runway below three days from the first order on
}
SECONDS = 30.0


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("cloudwatch") / "sandbox"
    with patch.dict(os.environ, SETTINGS), running_sandbox(folder, ["--rate", "5/s"]) as up:
        yield Desk(up)


def told(desk: Desk) -> list[dict[str, float]]:
    """The figures of each line so far."""
    log = desk.sandbox.folder.log_of("worker").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"')]
    return [{k: v[0] for k, v in line.items() if isinstance(v, list)} for line in lines]


def clear_faults(desk: Desk) -> None:
    url = f"{desk.environment['ORDERS_SANDBOX_API']}/_sandbox/faults"
    requests.delete(url, timeout=10).raise_for_status()


def until_told(desk: Desk, what: str, holds: Callable[[dict[str, float]], bool]) -> None:
    """Wait for a line that is written from now on."""
    before = len(told(desk))
    eventually(lambda: any(map(holds, told(desk)[before:])), what, seconds=SECONDS)


def test_each_condition_is_told_within_seconds_and_taken_back(desk: Desk, tmp_path: Path) -> None:
    until_told(desk, "an idle worker", lambda line: line["Backlog"] == 0 and line["Shards"] == 1)
    desk.type("pause", "--reason", "stock-taking")
    content = b"".join(order_line(line) + b"\n" for line in range(1, 41))
    upload = desk.upload(tmp_path, "paused.jsonl", content)

    until_told(desk, "the pause", lambda line: line["Paused"] == 1 and line["Backlog"] == 40)
    until_told(desk, "a short runway", lambda line: line["OrdersWillExpire"] == 1)

    desk.api.add_fault(kind="status", status=401)
    desk.type("resume")
    until_told(desk, "the credential", lambda line: line["CredentialsRefused"] == 1)

    clear_faults(desk)
    desk.api.add_fault(kind="status", status=422)
    until_told(desk, "the budget", lambda line: line["RefusalBudgetSpent"] == 1)

    clear_faults(desk)
    desk.type("resume")
    desk.until_over(upload)
    until_told(
        desk,
        "that all is well",
        lambda line: (
            not any(line[name] for name in ("CredentialsRefused", "RefusalBudgetSpent", "Paused"))
            and line["Backlog"] == line["OrdersWillExpire"] == 0
        ),
    )
