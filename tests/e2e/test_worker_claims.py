"""One number, one daemon: workers wait for each other, take over, and give way."""

import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consumer.worker.proc import live_process
from ledger.claim import Claim
from ledger.dynamodb.connect import open_ledger
from ledger.ports.claims import Claims
from sandbox.running import running_sandbox
from tests.e2e.worker_watch import LIMIT_SECONDS, Watch, hand_worker, order_lines
from tests.support.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.kcl, pytest.mark.slow]


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    folder = tmp_path_factory.mktemp("claims") / "sandbox"
    with running_sandbox(folder, ["--rate", "5/s", "--no-consumer"]) as up:
        watched = Watch(up)
        watched.upload(order_lines(1_000))
        yield watched


def elsewhere(watch: Watch, port: int) -> dict[str, str]:
    """The same environment for a second worker."""
    return {**watch.environment, "ORDERS_METRICS_PORT": str(port)}


def test_a_second_worker_waits_without_a_daemon_and_takes_over_when_the_first_leaves(
    watch: Watch, tmp_path: Path
) -> None:
    with hand_worker(watch.environment, tmp_path / "a") as first:
        watch.wait_for_orders(2)
        with hand_worker(elsewhere(watch, free_port()), tmp_path / "b") as second:
            eventually(
                lambda: "waiting for its only number" in second.said(),
                "the second to wait",
                seconds=LIMIT_SECONDS,
            )
            assert second.children() == frozenset()

            assert first.end(signal.SIGTERM) == 0
            watch.wait_for_orders(2)

            assert len(second.children()) == 2
            assert second.end(signal.SIGTERM) == 0

    sent = [request.order_id for request in watch.accepted()]
    assert len(sent) == len(set(sent))


def test_a_worker_whose_number_was_taken_over_stops_at_once(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in watch.environment.items():
        monkeypatch.setenv(name, value)
    ledger = open_ledger(watch.environment["ORDERS_LEDGER_TABLE"])
    with hand_worker(watch.environment, tmp_path) as worker:
        watch.wait_for_orders(1)
        children = worker.children()

        taken = take_over(ledger)
        assert worker.process.wait(30) == 1
        assert "another worker took over number 1" in worker.said()
        assert not [pid for pid in children if live_process(pid)]
    ledger.release_claim(taken)


def test_a_new_application_makes_its_own_lease_table_and_begins(
    watch: Watch, tmp_path: Path
) -> None:
    fresh = {**watch.environment, "ORDERS_APPLICATION": "fresh", "ORDERS_WORKER_ID": "fresh"}
    with hand_worker(fresh, tmp_path) as worker:
        watch.wait_for_orders(1)

        assert worker.end(signal.SIGTERM) == 0


def take_over(ledger: Claims) -> Claim:
    """Take number 1, as another host would whose clock says that the holder is silent."""
    while True:
        standing = next(iter(ledger.claims("orders")))
        taken = replace(standing, token="another host's", host="elsewhere")
        if ledger.take_claim(taken, instead_of=standing):
            return taken


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
