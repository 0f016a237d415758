"""How a shard process begins: it answers the daemon first, and is built afterwards."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.ending import FAILED
from consumer.kcl.shard import greet

FIRST = {
    "action": "initialize",
    "shardId": "shardId-000000000000",
    "sequenceNumber": "TRIM_HORIZON",
    "subSequenceNumber": 0,
}
ANSWER = {"action": "status", "responseFor": "initialize"}


def test_the_first_message_is_answered_and_handed_on() -> None:
    protocol = io.StringIO()

    message = greet(io.StringIO(json.dumps(FIRST) + "\n"), protocol)

    assert message == FIRST
    assert [json.loads(line) for line in protocol.getvalue().splitlines()] == [ANSWER]


def test_no_other_first_message_is_answered() -> None:
    protocol = io.StringIO()

    with pytest.raises(ValueError, match="first message is 'leaseLost'"):
        greet(io.StringIO('{"action": "leaseLost"}\n'), protocol)

    assert protocol.getvalue() == ""


def test_a_process_that_cannot_be_built_ends_at_its_first_message_and_takes_no_record(
    tmp_path: Path,
) -> None:
    records = {"action": "processRecords", "records": [], "millisBehindLatest": 0}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERS_")}

    ended = subprocess.run(
        [sys.executable, "-m", "consumer.kcl.shard"],
        input=f"{json.dumps(FIRST)}\n{json.dumps(records)}\n",
        env=kept | {"ORDERS_RUN_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == FAILED
    assert [json.loads(line) for line in ended.stdout.splitlines() if line] == [ANSWER]
    assert "ORDERS_API_URL" in ended.stderr
