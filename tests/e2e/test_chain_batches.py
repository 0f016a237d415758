"""Orders are sent a hundred to a request, through kills, and each is accepted once."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.running import running_sandbox
from tests.e2e.worker_watch import Watch
from tests.support.command_desk import Desk, order_line
from tests.support.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.kcl, pytest.mark.slow]

ORDERS = 10_000
BATCH = 100
BAD = (5, 417, 4_018)
ROLES = ("worker", "daemon", "shard")
LIMIT_SECONDS = 60.0


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ORDERS_BATCH", str(BATCH))
    monkeypatch.setenv("ORDERS_API_URL", "https://api.example.com/orders/batch")
    with running_sandbox(tmp_path / "sandbox", ["--rate", "5/s"]) as up:
        yield Desk(up)


def log_of(desk: Desk) -> list[dict[str, Any]]:
    url = f"{desk.environment['ORDERS_SANDBOX_API']}/_sandbox/requests"
    return [json.loads(line) for line in requests.get(url, timeout=10).text.splitlines()]


def name(line: int) -> str:
    return f"ORDER-{line:05d}"


def test_each_order_is_accepted_once_and_a_kill_repeats_at_most_one_batch(
    desk: Desk, tmp_path: Path
) -> None:
    faults = f"{desk.environment['ORDERS_SANDBOX_API']}/_sandbox/faults"
    for line in BAD:
        fault = {"kind": "status", "status": 422, "order_id": name(line)}
        requests.post(faults, json=fault, timeout=10).raise_for_status()
    content = b"".join(order_line(line) + b"\n" for line in range(1, ORDERS + 1))
    upload = desk.upload(tmp_path, "many.jsonl", content)

    watch = Watch(desk.sandbox)
    for wanted in (20, 60):
        eventually(
            lambda wanted=wanted: len(log_of(desk)) >= wanted,  # type: ignore[misc]
            f"{wanted} requests",
            seconds=LIMIT_SECONDS,
        )
        for pid in [pid for role in ROLES for pid in watch.pids(role)]:
            os.kill(pid, signal.SIGKILL)
    seen = desk.until_over(upload)

    accepted = [entry for entry in log_of(desk) if entry["status"] == 200]
    times = Counter(one for entry in accepted for one in entry["order_ids"])
    by_key = Counter(entry["idempotency_key"] for entry in accepted)
    repeated = [key for key, count in by_key.items() if count > 1]
    assert times.keys() == {name(line) for line in range(1, ORDERS + 1) if line not in BAD}
    assert len(repeated) <= 2
    assert sum(times.values()) - len(times) <= 2 * BATCH
    for key in repeated:
        assert len({e["body_sha256"] for e in accepted if e["idempotency_key"] == key}) == 1
    again = {one for one, count in times.items() if count > 1}
    assert again == {
        o for e in accepted if e["idempotency_key"] in repeated for o in e["order_ids"]
    }
    assert (seen["state"], seen["accepted"]) == ("done_with_problems", ORDERS - len(BAD))
    letters = json.loads(desk.type("dead-letters", "list", "--json").out)["dead_letters"]
    assert sorted(letter["line"] for letter in letters) == sorted(BAD)
