import os
import signal
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from consumer.worker.proc import descendants, live_process
from sandbox.running import RunningSandbox, running_sandbox
from tests.support.eventually import eventually

pytestmark = [pytest.mark.aws, pytest.mark.kcl]

LIMIT_SECONDS = 60.0
ROLES = ["aws", "api", "worker", "daemon", "shard"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "up", ["--rate", "5/s"]) as running:
        yield running


def roles(sandbox: RunningSandbox) -> list[str]:
    return [entry.role for entry in sandbox.processes()]


def pid_of(sandbox: RunningSandbox, role: str) -> int:
    (pid,) = [entry.pid for entry in sandbox.processes() if entry.role == role]
    return pid


def test_when_it_is_ready_every_role_runs_and_the_shard_is_named(sandbox: RunningSandbox) -> None:
    assert roles(sandbox) == ROLES
    assert [entry.shard for entry in sandbox.processes() if entry.shard] == ["shardId-000000000000"]


def test_the_metrics_answer_where_it_says(sandbox: RunningSandbox) -> None:
    url = sandbox.environment({})["ORDERS_METRICS_URL"]

    with urlopen(url) as response:  # noqa: S310 - the sandbox's own address
        assert b"\norders_backlog 0" in response.read()


def test_a_worker_that_was_killed_is_started_again_and_listed(sandbox: RunningSandbox) -> None:
    killed = {role: pid_of(sandbox, role) for role in ("worker", "daemon", "shard")}

    os.kill(killed["worker"], signal.SIGKILL)

    eventually(
        lambda: roles(sandbox) == ROLES and pid_of(sandbox, "worker") != killed["worker"],
        "a new worker with every role",
        seconds=LIMIT_SECONDS,
    )
    assert killed.items().isdisjoint(
        {role: pid_of(sandbox, role) for role in ("worker", "daemon", "shard")}.items()
    )


def test_stopping_it_leaves_no_process_and_no_promise_behind(sandbox: RunningSandbox) -> None:
    pid = sandbox.process.pid
    family = {pid} | descendants(pid)

    assert sandbox.stop() == 0

    assert [pid for pid in family if live_process(pid)] == []
    assert not sandbox.folder.environment.exists()
    assert not sandbox.folder.processes.exists()
