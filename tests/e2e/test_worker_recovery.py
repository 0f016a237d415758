"""The worker comes back by itself, whatever of it was killed, and repeats next to nothing."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.running import running_sandbox
from tests.e2e.worker_watch import LIMIT_SECONDS, Watch, order_lines
from tests.support.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.kcl]

ROLES = ("worker", "daemon", "shard")
RECOVERY_SECONDS = 10.0
BUSY_MACHINE_SECONDS = 10.0
"""Two cores that others use, too: so much more is no failure here. The benchmark tells the time."""


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with running_sandbox(tmp_path_factory.mktemp("recovery") / "sandbox", ["--rate", "5/s"]) as up:
        watched = Watch(up)
        watched.upload(order_lines(1_000))
        watched.wait_for_orders(3)
        yield watched


@pytest.mark.parametrize(
    "roles",
    [
        ("shard",),
        pytest.param(("daemon",), marks=pytest.mark.slow),
        pytest.param(("worker",), marks=pytest.mark.slow),
        ROLES,
    ],
    ids="+".join,
)
def test_after_a_kill_sending_goes_on_within_seconds_with_at_most_one_repeat(
    watch: Watch, roles: tuple[str, ...]
) -> None:
    watch.wait_for_orders(2)
    repeats_before = repeats(watch)

    killed_at = time.monotonic()
    for pid in [pid for role in roles for pid in watch.pids(role)]:
        os.kill(pid, signal.SIGKILL)
    # A request that was on its way may still arrive; one second later none is.
    eventually(
        lambda: watch.accepted()[-1].t > killed_at + 1.0,
        "an order after the kill",
        seconds=LIMIT_SECONDS,
    )

    first = next(request.t for request in watch.accepted() if request.t > killed_at + 1.0)
    assert first - killed_at < RECOVERY_SECONDS + BUSY_MACHINE_SECONDS
    watch.wait_for_orders(5)
    eventually(
        lambda: {role: len(watch.pids(role)) for role in ROLES} == dict.fromkeys(ROLES, 1),
        "exactly one process of each role",
        seconds=LIMIT_SECONDS,
    )
    assert repeats(watch) - repeats_before <= 1
    assert in_file_order(watch)


def test_a_worker_told_to_stop_repeats_nothing(watch: Watch) -> None:
    watch.wait_for_orders(2)
    repeats_before = repeats(watch)
    (worker,) = watch.pids("worker")

    os.kill(worker, signal.SIGTERM)
    eventually(
        lambda: watch.pids("worker") not in ([], [worker]),
        "the next worker",
        seconds=LIMIT_SECONDS,
    )
    watch.wait_for_orders(5)

    assert repeats(watch) == repeats_before
    assert in_file_order(watch)


def test_the_metrics_agree_with_what_the_api_took(watch: Watch) -> None:
    def agrees() -> bool:
        before = len({request.order_id for request in watch.accepted()})
        settled = watch.settled()
        after = len({request.order_id for request in watch.accepted()})
        return before - 10 <= settled <= after  # two seconds at 5/s

    eventually(agrees, "the ledger's count", seconds=5)


def repeats(watch: Watch) -> int:
    """Accepted orders beyond one each; each repeat has the key of the first."""
    accepted = watch.accepted()
    keys = {(request.order_id, request.idempotency_key) for request in accepted}
    assert len(keys) == len({request.order_id for request in accepted})
    return sum(Counter(request.order_id for request in accepted).values()) - len(keys)


def in_file_order(watch: Watch) -> bool:
    """Did first arrivals come in the order of the file, none left out?"""
    firsts = list(dict.fromkeys(request.order_id for request in watch.accepted()))
    return firsts == [f"order-{n}" for n in range(len(firsts))]
