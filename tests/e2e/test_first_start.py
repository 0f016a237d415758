"""A brand-new application: its first order goes out soon, and what it waits for is said."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.running import running_sandbox
from tests.e2e.worker_watch import LIMIT_SECONDS, Watch, hand_worker, order_lines
from tests.support.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.kcl]

WROTE_LEASES = "a new application: wrote the leases of 1 shards"
INDEX_CREATING = "the index LeaseOwnerToLeaseKeyIndex of the lease table orders-leases is CREATING"
NO_FIRST_LEASES = (
    "import sys; from consumer.kcl import first_leases; first_leases.LEASES_MAX = 0; "
    "from consumer.__main__ import main; sys.exit(main())"
)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with running_sandbox(tmp_path / "sandbox", ["--rate", "5/s", "--no-consumer"]) as up:
        watched = Watch(up)
        watched.upload(order_lines(100))
        yield watched


def test_the_first_order_goes_out_about_as_soon_as_after_a_restart(
    watch: Watch, tmp_path: Path
) -> None:
    first = seconds_to_an_order(watch, tmp_path / "first")
    again = seconds_to_an_order(watch, tmp_path / "again")

    assert WROTE_LEASES in (tmp_path / "first" / "worker.log").read_text()
    assert WROTE_LEASES not in (tmp_path / "again" / "worker.log").read_text()
    # 4 to 8 s each on a machine that does nothing else; the KCL alone would take 18 to 60 s.
    assert first < 2 * again + 5.0


@pytest.mark.slow
def test_leases_that_the_worker_cannot_know_are_found_by_the_kcl(
    watch: Watch, tmp_path: Path
) -> None:
    with hand_worker(watch.environment, tmp_path, command=("-c", NO_FIRST_LEASES)) as worker:
        # The KCL waits at random for up to 30 s before it fills an empty lease table.
        eventually(lambda: len(worker.children()) == 2, "a shard process", seconds=120)
        watch.wait_for_orders(1)


def test_an_index_in_the_making_is_waited_for_in_good_health(watch: Watch, tmp_path: Path) -> None:
    with slow_index(watch.environment["AWS_ENDPOINT_URL"]) as (proxy, index_is_made):
        environment = {**watch.environment, "AWS_ENDPOINT_URL_DYNAMODB": proxy}
        with hand_worker(environment, tmp_path) as worker:
            eventually(lambda: INDEX_CREATING in worker.said(), "the wait", seconds=LIMIT_SECONDS)
            eventually(lambda: INDEX_CREATING in health(watch)[1], "it shown", seconds=30)
            answers = set()
            for _ in range(20):
                index_is_made.wait(0.25)
                answers.add(health(watch)[0])

            assert answers == {200}
            assert worker.children() == frozenset()

            index_is_made.set()
            watch.wait_for_orders(1)


def test_somebody_elses_table_is_refused_at_the_start(watch: Watch, tmp_path: Path) -> None:
    foreign = watch.environment["ORDERS_LEDGER_TABLE"]
    environment = {**watch.environment, "ORDERS_LEASE_TABLE": foreign}

    with hand_worker(environment, tmp_path) as worker:
        assert worker.process.wait(LIMIT_SECONDS) == 2

    (sentence,) = (line for line in worker.said().splitlines() if " ERROR " in line)
    assert f"The table {foreign} is no lease table of KCL: its key is pk and sk" in sentence
    assert "set ORDERS_LEASE_TABLE" in sentence


def seconds_to_an_order(watch: Watch, folder: Path) -> float:
    """From the start of a worker until an order of its arrives; then it is killed."""
    sent, began = len(watch.requests()), time.monotonic()
    with hand_worker(watch.environment, folder):
        watch.wait_for_orders(1)
    return watch.requests()[sent].t - began


def health(watch: Watch) -> tuple[int, str]:
    """Status and text of /healthz; 0 before it is served."""
    url = watch.environment["ORDERS_METRICS_URL"].removesuffix("/metrics")
    try:
        answer = requests.get(f"{url}/healthz", timeout=5)
    except requests.ConnectionError:
        return 0, ""
    return answer.status_code, answer.text


@contextmanager
def slow_index(endpoint: str) -> Iterator[tuple[str, threading.Event]]:
    """A way to DynamoDB on which every index is CREATING until the event is set."""
    made, host = threading.Event(), urlsplit(endpoint).netloc

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with closing(HTTPConnection(host, timeout=10)) as aws:
                aws.request("POST", self.path, body, dict(self.headers))
                answer = aws.getresponse()
                content = answer.read()
            if self.headers["X-Amz-Target"].endswith(".DescribeTable") and not made.is_set():
                content = being_made(content)
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", made
        finally:
            server.shutdown()
            thread.join()


def being_made(content: bytes) -> bytes:
    """An answer of DescribeTable, with its indexes still in the making."""
    answer = json.loads(content)
    for index in answer.get("Table", {}).get("GlobalSecondaryIndexes", []):
        index["IndexStatus"] = "CREATING"
    return json.dumps(answer).encode()
