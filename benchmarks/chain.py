"""How do the benchmarks run the whole chain: a sandbox, an upload, and the API's own log?"""

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

    def upload(self, orders: int) -> None:
        """Upload a file of so many orders with the `orders` command."""
        file = self.folder / "orders.jsonl"
        file.write_text("".join(f"{line}\n" for line in order_lines(orders)), encoding="utf-8")
        command = [sys.executable, "-m", "orders_cli.main", "upload", str(file)]
        done = subprocess.run(command, env=dict(self.environment), capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"the upload failed: {done.stderr.decode()}")

    def wait_for(self, count: int, *, limit_seconds: float) -> list[dict[str, object]]:
        """The API's log, once it has so many requests."""
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline:
            log = request_log(self.api)
            if len(log) >= count:
                return log
            time.sleep(POLL_SECONDS)
        raise SystemExit(f"the API did not get {count} requests in {limit_seconds} s")


@contextmanager
def chain(options: Sequence[str], **settings: str) -> Iterator[Chain]:
    """A sandbox with these options and settings, in a folder of its own, stopped on leaving."""
    with TemporaryDirectory(prefix="orders-benchmark-") as folder:
        place = Path(folder)
        os.environ.update(settings)
        with running_sandbox(place / "sandbox", options) as sandbox:
            yield Chain(sandbox.environment(os.environ), place)


def order_lines(count: int) -> Iterator[str]:
    """Lines of orders, some 150 bytes each."""
    for number in range(count):
        yield json.dumps(
            {
                "order_id": f"order-{number:07}",
                "customer_id": f"customer-{number % 9973}",
                "sku": f"SKU-{number % 499:05}",
                "quantity": 1 + number % 9,
                "unit_price": "19.90",
                "currency": "EUR",
                "placed_at": "2026-11-01T10:00:00Z",
            }
        )


def request_log(api: str) -> list[dict[str, object]]:
    """What the sandbox's API received."""
    answer = requests.get(f"{api}/_sandbox/requests", timeout=LIMIT_SECONDS)
    return [json.loads(line) for line in answer.iter_lines()]


def slow_down(api: str, latency_seconds: float) -> None:
    """Let the API answer so late, and otherwise as always."""
    if not latency_seconds:
        return
    fault = {"kind": "slow", "latency_seconds": latency_seconds}
    requests.post(f"{api}/_sandbox/faults", json=fault, timeout=LIMIT_SECONDS).raise_for_status()


def accepted_times(log: Sequence[Mapping[str, object]]) -> list[float]:
    """When the API received what it accepted, in seconds."""
    return [float(str(entry["t"])) for entry in log if entry["status"] == 200]  # noqa: PLR2004


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def consumers(sandbox: Chain, count: int, **settings: str) -> Iterator[None]:
    """So many workers for a sandbox without a consumer, killed on leaving."""
    with ExitStack() as stack:
        for number in range(count):
            environment = {
                **sandbox.environment,
                "ORDERS_RUN_FOLDER": str(sandbox.folder / f"worker-{number}"),
                "ORDERS_METRICS_PORT": str(_free_port()),
                **settings,
            }
            log = stack.enter_context((sandbox.folder / f"worker-{number}.log").open("wb"))
            worker = subprocess.Popen(
                [sys.executable, "-m", "consumer"], env=environment, stderr=log
            )
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
        yield
