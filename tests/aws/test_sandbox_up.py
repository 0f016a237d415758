import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from consumer.worker.proc import descendants, live_process
from sandbox.embedded_aws import EmbeddedClients, embedded_clients
from sandbox.running import RunningSandbox, running_sandbox
from sandbox.sandbox_errors import OutOfReach
from tests.support.eventually import eventually

pytestmark = pytest.mark.aws

LIMIT_SECONDS = 20.0
LISTENING = "0A"
LOOPBACK = "0100007F"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    folder = tmp_path_factory.mktemp("sandbox") / "a folder"
    with running_sandbox(folder, ["--rate", "5/s", "--shards", "2", "--no-consumer"]) as running:
        yield running


@pytest.fixture(scope="module")
def told(sandbox: RunningSandbox) -> dict[str, str]:
    return sandbox.environment({})


@pytest.fixture(scope="module")
def clients(told: dict[str, str]) -> EmbeddedClients:
    return embedded_clients(told["AWS_ENDPOINT_URL"])


def family(pid: int) -> set[int]:
    """A process and all that descend from it."""
    return {pid} | descendants(pid)


def living(pids: set[int]) -> set[int]:
    return {pid for pid in pids if live_process(pid)}


def addresses_listened_on(port: int) -> set[str]:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    ours = [row[1].split(":") for row in rows if row[3] == LISTENING]
    return {address for address, number in ours if int(number, 16) == port}


def run_sandbox(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sandbox", "--dir", folder, "--no-consumer", *options],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def test_what_it_lists_are_its_own_children(sandbox: RunningSandbox) -> None:
    listed = sandbox.processes()

    assert [entry.role for entry in listed] == ["aws", "api"]
    assert {entry.pid for entry in listed} <= family(sandbox.process.pid)


def test_all_of_it_listens_on_this_machine_alone(told: dict[str, str]) -> None:
    for name in ("AWS_ENDPOINT_URL", "ORDERS_SANDBOX_API"):
        port = urlsplit(told[name]).port
        assert port is not None
        assert addresses_listened_on(port) == {LOOPBACK}


def test_the_api_answers_where_it_says(told: dict[str, str]) -> None:
    with urlopen(f"{told['ORDERS_SANDBOX_API']}/_sandbox/requests") as response:  # noqa: S310
        assert response.read() == b""


def test_the_pipeline_is_deployed_under_the_names_it_tells(
    told: dict[str, str], clients: EmbeddedClients
) -> None:
    stream = clients.kinesis.describe_stream_summary(StreamName=told["ORDERS_STREAM"])
    table = clients.dynamodb.describe_table(TableName=told["ORDERS_LEDGER_TABLE"])
    versioning = clients.s3.get_bucket_versioning(Bucket=told["ORDERS_BUCKET"])

    assert stream["StreamDescriptionSummary"]["OpenShardCount"] == 2
    assert table["Table"]["TableStatus"] == "ACTIVE"
    assert versioning["Status"] == "Enabled"


def test_an_upload_runs_the_lambda(told: dict[str, str], clients: EmbeddedClients) -> None:
    order = (
        b'{"order_id":"A-1","customer_id":"C-1","sku":"S-1","quantity":1,'
        b'"unit_price":1.5,"currency":"EUR"}\n'
    )

    clients.s3.put_object(Bucket=told["ORDERS_BUCKET"], Key="uploads/one.jsonl", Body=order)

    def upload_states() -> list[str]:
        rows = clients.dynamodb.scan(TableName=told["ORDERS_LEDGER_TABLE"])["Items"]
        return [row["state"]["S"] for row in rows if row["sk"]["S"] == "row#upload"]

    eventually(lambda: upload_states() == ["sending"])


def test_nothing_is_written_outside_its_folder(
    sandbox: RunningSandbox, told: dict[str, str]
) -> None:
    port = str(urlsplit(told["AWS_ENDPOINT_URL"]).port)

    elsewhere = [path for path in Path(tempfile.gettempdir()).iterdir() if port in path.name]

    assert elsewhere == []
    assert any(port in path.name for path in (sandbox.folder.aws / "tmp").iterdir())


def test_a_second_sandbox_in_its_folder_is_refused(sandbox: RunningSandbox) -> None:
    second = run_sandbox(sandbox.folder.path)

    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert f"process {sandbox.process.pid}" in second.stderr
    assert sandbox.folder.environment.exists()


def test_a_port_in_use_is_told_in_one_sentence(told: dict[str, str], tmp_path: Path) -> None:
    port = urlsplit(told["ORDERS_SANDBOX_API"]).port

    second = run_sandbox(tmp_path, "--api-port", str(port))

    assert second.returncode == 2
    assert (
        second.stderr
        == f"Port {port} is in use; give --api-port another, or none for a free one.\n"
    )


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "sandbox", ["--no-consumer"]) as sandbox:
        pids = family(sandbox.process.pid)

        assert sandbox.stop() == 0

        assert living(pids) == set()
        assert not sandbox.folder.environment.exists()
        assert not sandbox.folder.processes.exists()


def test_a_killed_sandbox_takes_its_children_along_and_leaves_its_folder_usable(
    tmp_path: Path,
) -> None:
    with running_sandbox(tmp_path / "sandbox", ["--no-consumer"]) as sandbox:
        pids = family(sandbox.process.pid)

        sandbox.process.send_signal(signal.SIGKILL)

        eventually(lambda: living(pids) == set(), "the end of its children")

    with running_sandbox(tmp_path / "sandbox", ["--no-consumer"]) as sandbox:
        assert {entry.pid for entry in sandbox.processes()}.isdisjoint(pids)


def test_it_stops_with_code_5_where_its_aws_ends(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "sandbox", ["--no-consumer"]) as sandbox:
        pids = family(sandbox.process.pid)
        (aws,) = [entry.pid for entry in sandbox.processes() if entry.role == "aws"]

        os.kill(aws, signal.SIGKILL)

        assert sandbox.process.wait(LIMIT_SECONDS) == 5
        assert living(pids) == set()
        assert not sandbox.folder.environment.exists()
    assert "The embedded AWS ended with signal 9" in (tmp_path / "sandbox.log").read_text()


def test_a_sandbox_that_does_not_come_up_says_why(sandbox: RunningSandbox) -> None:
    with (
        pytest.raises(OutOfReach, match=r"runs in .* already"),
        running_sandbox(sandbox.folder.path, ["--no-consumer"]),
    ):
        pass
