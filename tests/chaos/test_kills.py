"""Whatever is killed in the middle of a file: every promise is kept."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orders.rate import parse_rate
from sandbox.judge.sequence import TakeOver
from sandbox.running import running_sandbox
from tests import promises
from tests.support.command_desk import BUSY_SECONDS, LIMIT_SECONDS, Desk, order_line
from tests.support.eventually import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.kcl, pytest.mark.slow]

RATE = "5/s"
LINES = {number: order_line(number) for number in range(1, 161)}
ROLES = ("worker", "daemon", "shard")
RECOVERY_SECONDS = 10.0
ONE_OF_EACH = dict.fromkeys(ROLES, 1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_sandbox(tmp_path_factory.mktemp("kills") / "sandbox", ["--rate", RATE]) as up:
        yield Desk(up)


def kill(desk: Desk, roles: tuple[str, ...]) -> TakeOver:
    """SIGKILL to all processes of these roles; returns when sending goes on."""
    desk.until_accepted(desk.accepted() + 3)
    killed_at = time.monotonic()
    for role in roles:
        for pid in desk.pids()[role]:
            os.kill(pid, signal.SIGKILL)
    # What was on its way may still arrive at once; what comes later is from the next process.
    first = eventually(
        lambda: accepted_after(desk, killed_at + 1.0),
        "an order after the kill",
        seconds=LIMIT_SECONDS,
    )
    assert first - killed_at < RECOVERY_SECONDS + BUSY_SECONDS
    eventually(
        lambda: count(desk) == ONE_OF_EACH, "one process of each role", seconds=LIMIT_SECONDS
    )
    return TakeOver(killed_at + 1.0, gone_at=killed_at + 1.0)


def accepted_after(desk: Desk, moment: float) -> float | None:
    return next((r.t for r in desk.api.requests() if r.is_accepted and r.t > moment), None)


def count(desk: Desk) -> dict[str, int]:
    return {role: len(pids) for role, pids in desk.pids().items() if role in ROLES}


def stop_gently(desk: Desk) -> None:
    """SIGTERM to the worker; returns when the next one sends. It must repeat nothing."""
    desk.until_accepted(desk.accepted() + 3)
    repeats_before = len(repeated_keys(desk))
    [worker] = desk.pids()["worker"]
    os.kill(worker, signal.SIGTERM)
    eventually(
        lambda: desk.pids()["worker"] not in ([], [worker]),
        "the next worker",
        seconds=LIMIT_SECONDS,
    )
    desk.until_accepted(desk.accepted() + 3)
    assert len(repeated_keys(desk)) == repeats_before


def repeated_keys(desk: Desk) -> list[str]:
    keys = [request.idempotency_key for request in desk.api.requests() if request.is_accepted]
    return [key for key in set(keys) if keys.count(key) > 1]


def test_four_kills_and_a_stop_in_one_file_keep_every_promise(desk: Desk, tmp_path: Path) -> None:
    upload = desk.upload(tmp_path, "killed.jsonl", b"\n".join(LINES.values()))

    take_overs = [kill(desk, roles) for roles in (("shard",), ("daemon",), ("worker",), ROLES)]
    stop_gently(desk)
    ended = desk.until_over(upload)

    seen = desk.observed(upload, LINES)
    assert ended["state"] == "done"
    promises.nothing_is_lost(seen)
    promises.repeats_are_bounded(seen, kills=len(take_overs))
    promises.pace_is_kept(seen, rates=[(0.0, parse_rate(RATE))])
    promises.order_is_kept(seen)
    promises.outage_costs_time_only(seen, outages=[])
    promises.old_owner_stops(seen, take_overs=take_overs)
