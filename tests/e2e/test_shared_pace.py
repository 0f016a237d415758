"""Several shards share one pace through the whole chain: the real Lambda, Kinesis and KCL."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orders.rate import parse_rate
from sandbox.judge.observations import Observed
from sandbox.running import running_sandbox
from tests import promises
from tests.support.command_desk import Desk, order_line

pytestmark = [pytest.mark.e2e, pytest.mark.kcl]

RATE = "20/s"
LINES = 400
ORDERS = {number: order_line(number) for number in range(1, LINES + 1)}
LIMIT_SECONDS = 120.0
STARTING_SECONDS = 3.0
"""The shards begin one after the other, with connections that are all new."""


@pytest.fixture(name="desk", scope="module")
def _desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    options = ["--rate", RATE, "--shards", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORDERS_LANES", "8")
        with running_sandbox(tmp_path_factory.mktemp("shared") / "sandbox", options) as up:
            yield Desk(up)


def test_two_shards_use_the_pace_together(desk: Desk, tmp_path: Path) -> None:
    upload = desk.upload(tmp_path, "shared.jsonl", b"".join(b + b"\n" for b in ORDERS.values()))
    began_at = time.monotonic()

    while (seen := desk.status(upload))["state"] in {"reading", "sending"}:
        assert time.monotonic() - began_at < LIMIT_SECONDS, seen
        time.sleep(1.0)

    observed = desk.observed(upload, ORDERS)
    begin, end = observed.requests[0].t + STARTING_SECONDS, observed.requests[-1].t
    settled_in = [request for request in observed.requests if request.t >= begin]
    assert seen["accepted"] == LINES
    promises.nothing_is_lost(observed)
    promises.repeats_are_bounded(observed)
    promises.pace_is_kept(
        Observed((), settled_in, ()),
        rates=[(0.0, parse_rate(RATE))],
        busy=[(begin, end)],
        gap_share=0.75,  # of a machine with other work
        least_used=0.85,
    )
