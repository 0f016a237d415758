"""Does the image build, start as nobody, say what it misses, and send orders?"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from consumer.worker.proc import command_line, descendants
from sandbox.embedded_aws import embedded_clients
from sandbox.running import running_sandbox
from tests.image.image_build import IMAGE, Storage, build, environment, make_base
from tests.support.eventually import eventually

pytestmark = [pytest.mark.needs("buildah", "debootstrap"), pytest.mark.slow, pytest.mark.kcl]

ORDERS = 5
WORKER = ("/opt/orders/bin/python3", "-m", "consumer")
MEGABYTES = 400
LIMIT_SECONDS = 30.0

T = TypeVar("T")


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    """Build the image once; gives the storage that holds it and a container of it."""
    if os.geteuid() != 0:
        pytest.skip("debootstrap needs root")
    # Not pytest's folder: it would keep the last three, 400 MB each.
    folder = Path("/var/tmp") / f"orders-image-{os.getpid()}"  # noqa: S108 - made here, for us only
    folder.mkdir(mode=0o700)
    try:
        storage = Storage(folder)
        make_base(storage)
        build(storage)
        storage.buildah("from", "--pull-never", "--name", "orders", IMAGE)
        yield storage
    finally:
        shutil.rmtree(folder)


def test_a_missing_setting_is_one_sentence_and_exit_code_2(storage: Storage) -> None:
    started = subprocess.run(
        _entrypoint(storage, {}),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert started.returncode == 2
    sentence, *others = [line for line in started.stderr.splitlines() if "ORDERS_" in line]
    assert sentence.endswith(".")
    assert others == []
    assert "Traceback" not in started.stderr


def test_it_runs_as_nobody_and_can_change_nothing_of_its_own(storage: Storage) -> None:
    inside = "id -u; touch /opt/orders/x /x 2>&1; test -w /tmp && echo tmp is writable"

    printed = storage.buildah("run", "orders", "--", "sh", "-c", inside)

    assert printed.splitlines()[0] == "10001"
    assert printed.count("cannot touch") == 2
    assert "tmp is writable" in printed


def test_no_tool_that_builds_or_installs_is_left_in_it(storage: Storage) -> None:
    inside = "which gcc make pip pip3 curl; python3 -m pip --version 2>&1; exit 0"

    (printed,) = storage.buildah("run", "orders", "--", "sh", "-c", inside).splitlines()

    assert printed.endswith("No module named pip")


def test_it_is_small(storage: Storage) -> None:
    assert storage.megabytes() < MEGABYTES


def test_its_java_trusts_the_authorities_that_debian_trusts(storage: Storage) -> None:
    inside = (
        "java -XshowSettings:security:tls -version 2>&1; stat -c %s /opt/java/lib/security/cacerts"
    )

    *settings, size = storage.buildah("run", "orders", "--", "sh", "-c", inside).splitlines()

    assert any("TLSv1.3" in line for line in settings)
    assert int(size) > 100_000, "the authorities' certificates"


def test_its_java_takes_the_archive_of_the_daemons_classes(storage: Storage) -> None:
    inside = (
        "from consumer.kcl.class_archive import ARCHIVE, check, find_java; "
        "check(find_java(None, heap_megabytes=64), ARCHIVE); print(ARCHIVE)"
    )

    printed = storage.buildah("run", "orders", "--", "python3", "-c", inside)

    assert printed.strip() == "/opt/orders/share/paced-orders/kcl.jsa"


def test_it_says_how_it_is_started_and_watched(storage: Storage) -> None:
    config = storage.config()

    assert config["Entrypoint"] == ["python3", "-m", "consumer"]
    assert config["User"] == "10001:10001"
    assert "/healthz" in config["Healthcheck"]["Test"][-1]
    assert config["Volumes"] == {"/tmp": {}}  # noqa: S108 - a path inside the image


def test_it_sends_orders_is_healthy_and_stops_when_it_is_told(
    storage: Storage, tmp_path: Path
) -> None:
    with running_sandbox(tmp_path / "sandbox", ["--rate", "5/s", "--no-consumer"]) as sandbox:
        told = sandbox.environment({})
        for name in ("ORDERS_RUN_FOLDER", "ORDERS_MACHINE_FOLDER"):
            del told[name]  # a folder of this machine

        with _started(_entrypoint(storage, told)) as container:
            _upload(told)
            sent = eventually(lambda: _accepted(told), "every order", seconds=LIMIT_SECONDS)
            eventually(
                lambda: _is_healthy(storage, told["ORDERS_METRICS_PORT"]),
                "the image's health check",
                seconds=LIMIT_SECONDS,
            )
            os.kill(_worker_in(container), signal.SIGTERM)
            code = container.wait(timeout=LIMIT_SECONDS)

    assert sent == [f"image-{n}" for n in range(ORDERS)]
    assert code == 0


def _entrypoint(storage: Storage, settings: Mapping[str, str]) -> list[str]:
    variables = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    return storage.command("run", *variables, "orders", "--", *storage.config()["Entrypoint"])


@contextmanager
def _started(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the container's first process; whatever happens, none of its processes stays."""
    container = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL)
    try:
        yield container
    finally:
        for pid in descendants(container.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        container.wait(timeout=LIMIT_SECONDS)


def _worker_in(container: "subprocess.Popen[bytes]") -> int:
    """The container's first process, which is behind some of buildah's."""
    return next(pid for pid in descendants(container.pid) if command_line(pid) == WORKER)


def _upload(told: Mapping[str, str]) -> None:
    order = {"customer_id": "c", "sku": "s", "quantity": 1, "unit_price": "1.00", "currency": "EUR"}
    lines = [json.dumps({"order_id": f"image-{n}", **order}) for n in range(ORDERS)]
    s3 = embedded_clients(told["AWS_ENDPOINT_URL"]).s3
    s3.put_object(
        Bucket=told["ORDERS_BUCKET"], Key="uploads/image.jsonl", Body="\n".join(lines).encode()
    )


def _accepted(told: Mapping[str, str]) -> list[str] | None:
    """The ids of the orders that the API took, once they are all there."""
    try:
        with urlopen(f"{told['ORDERS_SANDBOX_API']}/_sandbox/requests", timeout=5) as log:  # noqa: S310
            requests = [json.loads(line) for line in log.read().splitlines()]
    except URLError:
        return None
    ids = [request["order_id"] for request in requests if request["status"] == 200]
    return ids if len(ids) >= ORDERS else None


def _is_healthy(storage: Storage, port: str) -> bool:
    """Ask as the image's own health check does, from within."""
    check = storage.config()["Healthcheck"]["Test"][1:]
    asked = subprocess.run(
        storage.command("run", "--env", f"ORDERS_METRICS_PORT={port}", "orders", "--", *check),
        env=environment(),
        capture_output=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return asked.returncode == 0
