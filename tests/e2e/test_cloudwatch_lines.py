"""What must not be missed is made in the sandbox, and the alarm that reads its line goes off."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests

from consumer.adapters.end_markers import KinesisEndMarkers
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.upload import LaneTail, Progress, Source, UploadState
from orders.upload import UploadId
from sandbox.running import running_sandbox
from tests.support.alarms import ringing, ringing_in_silence
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
ORDERS = 40
LOST = 3
ROLES = ("worker", "daemon", "shard")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with (
        patch.dict(os.environ, SETTINGS),
        running_sandbox(tmp_path / "sandbox", ["--rate", "5/s"]) as up,
    ):
        yield Desk(up)


def told(desk: Desk) -> list[dict[str, Any]]:
    """Each line so far."""
    log = desk.sandbox.folder.log_of("worker").read_text(encoding="utf-8")
    return [json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"')]


def next_line(desk: Desk) -> dict[str, Any]:
    """The last of the lines that are written from now on."""
    before = len(told(desk))
    return eventually(lambda: told(desk)[before:], "another line", seconds=SECONDS)[-1]


def until(desk: Desk, *alarms: str, **figures: int) -> None:
    """Wait for a line that sets off exactly these alarms, and has these figures."""

    def found() -> bool:
        line = next_line(desk)
        return ringing(line) == set(alarms) and all(line[k] == [v] for k, v in figures.items())

    eventually(found, f"{figures}, and exactly {alarms or 'no alarm'}", seconds=SECONDS)


def clear_faults(desk: Desk) -> None:
    url = f"{desk.environment['ORDERS_SANDBOX_API']}/_sandbox/faults"
    requests.delete(url, timeout=10).raise_for_status()


def test_each_condition_sets_off_its_alarm_and_takes_it_back(desk: Desk, tmp_path: Path) -> None:
    until(desk, Backlog=0, Shards=1)
    desk.type("pause", "--reason", "stock-taking")
    content = b"".join(order_line(line) + b"\n" for line in range(1, ORDERS + 1))
    upload = desk.upload(tmp_path, "paused.jsonl", content)
    until(desk, "OrdersWillExpireAlarm", "PausedAlarm", Backlog=ORDERS)

    desk.api.add_fault(kind="status", status=401)
    desk.type("resume")
    until(desk, "OrdersWillExpireAlarm", "CredentialsRefusedAlarm")

    clear_faults(desk)
    desk.api.add_fault(kind="status", status=422)
    until(desk, "OrdersWillExpireAlarm", "RefusalBudgetSpentAlarm")

    clear_faults(desk)
    desk.type("resume")
    desk.until_over(upload)
    until(desk, Backlog=0)

    lose_an_upload(desk)
    until(desk, "OrdersMissingAlarm", OrdersMissing=LOST)


def test_a_dead_consumer_sets_off_the_alarms_that_need_no_line_of_it(desk: Desk) -> None:
    until(desk, Backlog=0)
    pids = desk.pids()
    with stopped([pid for role in ROLES for pid in pids[role]]):
        before = len(told(desk))
        time.sleep(3.0)  # nothing must be written in this time, which is that of three lines
        since = told(desk)[before:]

    assert since == []
    assert ringing_in_silence() == {"ConsumerAbsentAlarm", "LeasesNotRenewedAlarm"}


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """As good as dead: killed ones would be started again."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def lose_an_upload(desk: Desk) -> None:
    """Let the ledger know of orders that are not on the stream, and end their lane there."""
    ledger = desk.ledger
    upload, token, now = UploadId("e" * 20), "a run", time.time()
    source = Source(desk.environment["ORDERS_BUCKET"], "uploads/lost.jsonl", "v", "e", 100)
    tail = LaneTail(line=LOST, ordinal=LOST)
    ledger.announce(upload, source, now=now)
    ledger.start_run(upload, token=token, lanes=1, now=now)
    ledger.admit(upload, token=token, now=now)
    ledger.finish_reading(
        upload,
        token=token,
        progress=Progress(offset=100, line=LOST, enqueued=LOST, tails=(tail,)),
        state=UploadState.SENDING,
        reason="",
        now=now,
    )
    markers = KinesisEndMarkers(desk.kinesis, desk.environment["ORDERS_STREAM"])
    markers.put_end(LaneKey(upload, LaneNumber(0)), lanes=1, tail=tail)
