"""The sandbox that a benchmark runs: the whole chain, or the API alone."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from sandbox.code_archive import CHECKOUT
from sandbox.judge.observations import Request, requests_of_log
from sandbox.running import running_sandbox

POLL_SECONDS = 0.5
LIMIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Chain:
    """A running sandbox, as its user sees it."""

    environment: Mapping[str, str]
    folder: Path

    @property
    def api(self) -> str:
        """The API's address, without a trailing slash."""
        return self.environment["ORDERS_SANDBOX_API"]

    def orders(self, *arguments: str) -> bytes:
        """Run the `orders` command, and return its standard output."""
        command = [sys.executable, "-m", "orders_cli.main", *arguments]
        done = subprocess.run(command, env=dict(self.environment), capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"orders {arguments[0]} failed: {done.stderr.decode()}")
        return done.stdout

    def upload(self, count: int) -> None:
        """Upload a file with this many orders."""
        file = self.folder / "orders.jsonl"
        file.write_bytes(b"".join(order_lines(count)))
        self.orders("upload", str(file))

    def wait_for(self, count: int, *, limit_seconds: float) -> list[Request]:
        """The API's log, once it has this many requests."""
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline:
            log = request_log(self.api)
            if len(log) >= count:
                return log
            time.sleep(POLL_SECONDS)
        raise SystemExit(f"the API did not get {count} requests in {limit_seconds} s")


@contextmanager
def chain(options: Sequence[str], **settings: str) -> Iterator[Chain]:
    """A sandbox with these options and settings, in a temporary folder; stopped on exit."""
    with TemporaryDirectory(prefix="orders-benchmark-") as folder:
        os.environ.update(settings)
        with running_sandbox(Path(folder, "sandbox"), options) as sandbox:
            yield Chain(sandbox.environment(os.environ), Path(folder))


@contextmanager
def consumers(sandbox: Chain, count: int, **settings: str) -> Iterator[None]:
    """This many workers for a sandbox that was started without a consumer; stopped on exit."""
    with ExitStack() as stack:
        for number in range(count):
            environment = {
                **sandbox.environment,
                "ORDERS_RUN_FOLDER": str(sandbox.folder / f"worker-{number}"),
                "ORDERS_METRICS_PORT": str(_free_port()),
                **settings,
            }
            log = stack.enter_context((sandbox.folder / f"worker-{number}.log").open("wb"))
            command = [sys.executable, "-m", "consumer"]
            worker = subprocess.Popen(command, env=environment, stderr=log)
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
        yield


@contextmanager
def program(module: str, *arguments: str) -> Iterator[str]:
    """A program of ours in a process of its own; yields the last word of its first line."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()[-1] if process.stdout else ""
        finally:
            process.terminate()


@contextmanager
def sandbox_api(rate: str = "none", latency_seconds: float = 0.0) -> Iterator[str]:
    """The sandbox's API alone; yields its address."""
    with program("sandbox.api", "--rate", rate) as api:
        slow_down(api, latency_seconds)
        yield api


def slow_down(api: str, latency_seconds: float) -> None:
    """Delay all answers of a sandbox's API."""
    if latency_seconds:
        fault = {"kind": "slow", "latency_seconds": latency_seconds}
        url = f"{api}/_sandbox/faults"
        requests.post(url, json=fault, timeout=LIMIT_SECONDS).raise_for_status()


def request_log(api: str) -> list[Request]:
    """All requests that a sandbox's API received, in order of arrival."""
    answer = requests.get(f"{api}/_sandbox/requests", timeout=LIMIT_SECONDS)
    return list(requests_of_log(json.loads(line) for line in answer.iter_lines()))


def order_lines(count: int) -> Iterator[bytes]:
    """Lines of about 150 bytes, each with its line feed; order ids from ORD-000000000 on."""
    for number in range(count):
        yield (
            b'{"order_id":"ORD-%09d","customer_id":"C-%06d","sku":"SKU-%05d","quantity":%d,'
            b'"unit_price":"%d.%02d","currency":"EUR","placed_at":"2026-03-01T%02d:%02d:%02dZ"}\n'
        ) % (
            *(number, number % 999_983, number % 99_991, number % 99 + 1),
            *(number % 1_000, number % 100),
            *(number // 3600 % 24, number // 60 % 60, number % 60),
        )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
