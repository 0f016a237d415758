"""A file goes through the whole chain: S3, the real Lambda, Kinesis, the real KCL, paced PUTs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orders.rate import parse_rate
from sandbox.running import running_sandbox
from tests import promises
from tests.e2e.command_desk import Desk, order_line

pytestmark = [pytest.mark.e2e, pytest.mark.kcl]

RATE = "5/s"
LINES = 300
INVALID = frozenset(range(15, 301, 30))  # ten lines, spread over the file
VALID = {number: order_line(number) for number in range(1, LINES + 1) if number not in INVALID}
ORDERS_PER_SECOND = 5.0
LIMIT_SECONDS = 150.0
LOOK_SECONDS = 0.5
AGREE_SECONDS = 2.0
AGREE_LOOKS = 4


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_sandbox(tmp_path_factory.mktemp("chain") / "sandbox", ["--rate", RATE]) as up:
        yield Desk(up)


def content() -> bytes:
    lines = [VALID.get(number, b'{"order_id": "broken"') for number in range(1, LINES + 1)]
    return b"".join(line + b"\n" for line in lines)


def test_three_hundred_lines_arrive_in_order_at_their_pace_and_add_up_at_every_look(
    desk: Desk, tmp_path: Path
) -> None:
    upload = desk.upload(tmp_path, "three-hundred.jsonl", content())
    began_at = time.monotonic()

    backlog: float | None = None
    while True:
        seen = desk.status(upload)
        assert backlog is None or agrees_with_ledger(desk, backlog)
        if seen["state"] not in {"reading", "sending"}:
            break
        assert time.monotonic() - began_at < LIMIT_SECONDS, seen
        backlog = desk.metric("orders_backlog")
        time.sleep(LOOK_SECONDS)  # the looks cost a third of a processor, which the rest needs

    observed = desk.observed(upload, VALID)
    first, last = observed.requests[0].t, observed.requests[-1].t
    assert seen["state"] == "done_with_problems"
    assert (seen["invalid"], seen["accepted"], seen["refused"]) == (10, 290, 0)
    assert len(observed.requests) == 290
    assert len(desk.polls) >= 20
    promises.nothing_is_lost(observed)
    promises.repeats_are_bounded(observed)
    promises.pace_is_kept(observed, rates=[(0.0, parse_rate(RATE))], busy=[(first, last)])
    promises.order_is_kept(observed)
    promises.outage_costs_time_only(observed, outages=[])


def agrees_with_ledger(desk: Desk, backlog: float) -> bool:
    """The metric says what the ledger says now, or said at most AGREE_SECONDS ago."""
    recent = [poll.waiting for poll in desk.polls[-AGREE_LOOKS:]]
    spread = AGREE_SECONDS * ORDERS_PER_SECOND
    return any(abs(backlog - waiting) <= spread for waiting in recent)
