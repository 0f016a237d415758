"""Beside a rate, a quota a minute is kept and used, through a kill of everything that sends."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from orders.rate import parse_rate
from sandbox.judge.observations import Request
from sandbox.running import running_sandbox
from tests import promises
from tests.e2e.worker_watch import Watch
from tests.support.command_desk import Desk, order_line

pytestmark = [pytest.mark.e2e, pytest.mark.kcl, pytest.mark.slow]

RATE = "2/s"
QUOTA = 60
USED_UP = QUOTA - 4
"""So many of a minute's turns may die with a killed process."""
ROLES = ("worker", "daemon", "shard")
LAST_MINUTE = 20
"""So many orders are left for the last minute, far from none and from all that it may hold."""
FORETOLD_AFTER = 10
KILLED_AFTER = 20
LEAST_USED = 0.99
FORETOLD_WITHIN = 0.02
LIMIT_SECONDS = 300.0
TOO_MANY_REQUESTS = 429


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ORDERS_QUOTA", f"{QUOTA}/m")  # its API refuses what is above
    with running_sandbox(tmp_path / "sandbox", ["--rate", RATE]) as up:
        yield Desk(up)


def test_a_quota_a_minute_is_kept_and_used_through_a_kill(desk: Desk, tmp_path: Path) -> None:
    left_of_minute = 60.0 - time.time() % 60.0 - 3.0  # the first order takes some seconds
    first = min(QUOTA, max(0, int(left_of_minute * 2)))
    full_minutes = 2 if left_of_minute > 25.0 else 3  # else it ends in the minute of the restart
    count = first + full_minutes * QUOTA + LAST_MINUTE
    lines = {number: order_line(number) for number in range(1, count + 1)}
    upload = desk.upload(tmp_path, "quota.jsonl", b"\n".join(lines.values()))

    desk.until_accepted(FORETOLD_AFTER)
    status = json.loads(desk.type("status", "--json").out)
    foretold_end = time.monotonic() + status["eta_seconds"]
    foretold_seconds = status["eta_seconds"]
    desk.until_accepted(KILLED_AFTER)
    killed_at = time.monotonic()
    watch = Watch(desk.sandbox)
    for pid in [pid for role in ROLES for pid in watch.pids(role)]:
        os.kill(pid, signal.SIGKILL)
    desk.until_accepted(count, seconds=LIMIT_SECONDS)
    desk.until_over(upload)

    seen = desk.observed(upload, lines)
    to_wall = time.time() - time.monotonic()
    minutes = Counter(int((request.t + to_wall) // 60) for request in seen.requests)
    lost_seconds, back_at = restart(list(seen.requests), killed_at)
    back_in = int((back_at + to_wall) // 60)
    # A turn in a minute's last second counts in the next one, too, where a restart makes it late.
    first_whole = back_in + (1 if minutes[back_in] >= USED_UP else 2)
    undisturbed = [minutes[minute] for minute in range(first_whole, max(minutes))]
    off_seconds = seen.requests[-1].t - foretold_end
    figures = (
        f"{dict(minutes)} by minute, back in {back_in} after {lost_seconds:.1f} s, "
        f"foretold {foretold_seconds:.1f} s, {off_seconds:+.1f} s off"
    )
    assert TOO_MANY_REQUESTS not in {request.status for request in seen.requests}
    assert len(minutes) >= 3, figures
    assert max(minutes.values()) <= QUOTA, figures
    assert undisturbed, figures
    assert sum(undisturbed) >= LEAST_USED * QUOTA * len(undisturbed), figures
    assert abs(off_seconds) <= FORETOLD_WITHIN * foretold_seconds + lost_seconds, figures
    promises.nothing_is_lost(seen)
    promises.repeats_are_bounded(seen, kills=1)
    promises.order_is_kept(seen)
    promises.pace_is_kept(seen, rates=[(0.0, parse_rate(RATE))])


def restart(requests: list[Request], killed_at: float) -> tuple[float, float]:
    """For how long a kill stopped the requests, beyond the interval, and when they went on."""
    gaps = [(b.t - a.t, b.t) for a, b in pairwise(requests) if b.t > killed_at]
    seconds, back_at = max(gaps[:2])  # one may have been on its way
    return seconds - parse_rate(RATE).interval_seconds, back_at
