"""A sandbox seen from outside: orders put in, requests that came out, processes in between."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import requests

from consumer.worker.proc import descendants, live_process
from sandbox.code_archive import CHECKOUT
from sandbox.judge.observations import Request
from sandbox.running import RunningSandbox
from tests.support.eventually import eventually

LIMIT_SECONDS = 60.0


def order_lines(count: int) -> list[bytes]:
    """Orders that differ by their id alone."""
    rest = {"customer_id": "c", "sku": "s", "quantity": 1, "unit_price": "1.00", "currency": "EUR"}
    return [json.dumps({"order_id": f"order-{n}", **rest}).encode() for n in range(count)]


@dataclass
class Watch:
    """One sandbox, and how to look at it."""

    sandbox: RunningSandbox
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Read how it is reached."""
        self.environment = self.sandbox.environment(os.environ)

    def upload(self, lines: list[bytes], *, name: str = "orders.jsonl") -> None:
        """Store a file of orders."""
        s3 = boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )
        body = b"".join(line + b"\n" for line in lines)
        s3.put_object(Bucket=self.environment["ORDERS_BUCKET"], Key=f"uploads/{name}", Body=body)

    def requests(self) -> list[Request]:
        """What the API received, in order of arrival; `t` by this machine's monotonic clock."""
        url = f"{self.environment['ORDERS_SANDBOX_API']}/_sandbox/requests"
        entries = map(json.loads, requests.get(url, timeout=10).text.splitlines())
        names = Request.__dataclass_fields__
        return [Request(**{name: entry[name] for name in names}) for entry in entries]

    def accepted(self) -> list[Request]:
        """Those that the API took."""
        return [request for request in self.requests() if request.is_accepted]

    def pids(self, role: str) -> list[int]:
        """The living processes of a role."""
        listed = [entry.pid for entry in self.sandbox.processes() if entry.role == role]
        return [pid for pid in listed if live_process(pid)]

    def wait_for_orders(self, count: int) -> None:
        """Until so many more orders were accepted than are now."""
        wanted = len(self.accepted()) + count
        eventually(
            lambda: len(self.accepted()) >= wanted,
            f"{count} more orders accepted",
            seconds=LIMIT_SECONDS,
        )

    def settled(self) -> float:
        """Accepted orders as the worker's metrics have them."""
        text = requests.get(self.environment["ORDERS_METRICS_URL"], timeout=10).text
        row = next(r for r in text.splitlines() if r.startswith('orders_settled_total{outcome="a'))
        return float(row.split()[1])


@dataclass
class HandWorker:
    """A worker started by hand."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def children(self) -> frozenset[int]:
        """What it brought about and still lives."""
        return descendants(self.pid)

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_SECONDS)


@contextmanager
def hand_worker(
    environment: dict[str, str], folder: Path, *, command: Sequence[str] = ("-m", "consumer")
) -> Iterator[HandWorker]:
    """`python -m consumer` with this environment; killed on leaving. Its log is in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "worker.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env={**environment, "ORDERS_RUN_FOLDER": str(folder / "run")},
            stdin=subprocess.DEVNULL,
            stderr=written,
        )
    try:
        yield HandWorker(process, log)
    finally:
        process.kill()
        process.wait()
