"""At one order a second, for three minutes, the allowed turns are used and never overdrawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orders.rate import parse_rate
from sandbox.running import running_sandbox
from tests import promises
from tests.support.command_desk import Desk, order_line

pytestmark = [pytest.mark.e2e, pytest.mark.kcl, pytest.mark.slow]

RATE = "1/s"
LINES = {number: order_line(number) for number in range(1, 182)}
LEAST_USED = 0.97  # on a machine with other work; benchmarks/pacing.py measures it
TOO_MANY_REQUESTS = 429


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with running_sandbox(tmp_path / "sandbox", ["--rate", RATE]) as up:
        yield Desk(up)


def test_three_minutes_at_one_a_second(desk: Desk, tmp_path: Path) -> None:
    upload = desk.upload(tmp_path, "three-minutes.jsonl", b"\n".join(LINES.values()))

    desk.until_accepted(len(LINES), seconds=300.0)
    desk.until_over(upload)

    seen = desk.observed(upload, LINES)
    first, last = seen.requests[0].t, seen.requests[-1].t
    assert TOO_MANY_REQUESTS not in {request.status for request in seen.requests}
    promises.nothing_is_lost(seen)
    promises.repeats_are_bounded(seen)
    promises.order_is_kept(seen)
    promises.pace_is_kept(
        seen, rates=[(0.0, parse_rate(RATE))], busy=[(first, last)], least_used=LEAST_USED
    )
