import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from sandbox.api.__main__ import READY

LIMIT_SECONDS = 10.0
API = [sys.executable, "-m", "sandbox.api"]


@contextmanager
def running_api(*options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    with subprocess.Popen([*API, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            assert said.startswith(READY)
            yield said.removeprefix(READY).strip(), process
        finally:
            process.kill()


def test_it_says_where_it_answers_and_ends_on_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with running_api("--rate", "none", "--log", str(log)) as (address, process):
        put = Request(f"{address}/orders/A-1", b"{}", method="PUT")  # noqa: S310 - its own address
        with urlopen(put, timeout=LIMIT_SECONDS) as response:  # noqa: S310
            assert response.status == 200
        process.terminate()

        assert process.wait(LIMIT_SECONDS) == 0
    assert [json.loads(line)["order_id"] for line in log.read_text().splitlines()] == ["A-1"]


def test_it_takes_the_method_the_path_and_the_key_that_it_was_told(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    shape = ("--method", "POST", "--path", "/shops/{customer_id}", "--key-header", "X-Key")
    with running_api("--rate", "none", "--log", str(log), *shape) as (address, _):
        post = Request(  # noqa: S310 - its own address
            f"{address}/shops/C-1", b'{"order_id": "A-1"}', {"X-Key": "k-1"}, method="POST"
        )
        with urlopen(post, timeout=LIMIT_SECONDS) as response:  # noqa: S310
            assert response.status == 200

    [entry] = map(json.loads, log.read_text().splitlines())
    assert (entry["order_id"], entry["idempotency_key"]) == ("A-1", "k-1")


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has SCHED_BATCH")
def test_it_does_not_interrupt_the_sender_on_the_machine_that_they_share() -> None:
    with running_api() as (_, process):
        assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH


def test_a_port_in_use_is_one_sentence_and_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        refused = subprocess.run(
            [*API, "--port", port], capture_output=True, text=True, check=False
        )

    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert port in refused.stderr


def test_a_rate_that_is_none_of_the_grammar_is_refused() -> None:
    refused = subprocess.run([*API, "--rate", "fast"], capture_output=True, text=True, check=False)

    assert refused.returncode == 2
    assert "'fast' is not a rate" in refused.stderr
