"""What the demo works with: the sandbox, its API and ledger."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from consumer.worker.proc import live_process
from ledger.dynamodb.ledger import DynamoLedger
from ledger.uploads.upload import Account
from orders.upload import UploadId
from orders_cli.demo.narrator import Narrator
from orders_cli.demo.sandbox_api import SandboxApi
from orders_cli.failures import CommandFailed
from sandbox.judge.observations import Numbers, Request, numbers_of_account
from sandbox.running import RunningSandbox

DEMO_POLL_SECONDS = 0.1
LIMIT_SECONDS = 90.0
_CONSUMER = ("worker", "daemon", "shard")

Found = TypeVar("Found")


class DemoStuck(CommandFailed):
    """Something that the demo waited for did not happen."""


@dataclass(slots=True)
class DemoRun:
    """The sandbox, its API and ledger, and everything seen so far.

    polls: the upload's numbers at every poll.
    """

    sandbox: RunningSandbox
    folder: Path
    narrator: Narrator
    api: SandboxApi
    ledger: DynamoLedger
    polls: list[Numbers] = field(default_factory=list)
    upload: UploadId | None = None
    _shown: int = 0

    def type(self, *arguments: str) -> str:
        """Run an `orders` command as a user would, and return its answer. Raises DemoStuck."""
        self.narrator.tell(f"$ orders {' '.join(arguments)}")
        ended = subprocess.run(
            [sys.executable, "-m", "orders_cli.main", *arguments],
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        if ended.returncode:
            raise DemoStuck(f"`orders {arguments[0]}` failed: {ended.stderr.strip()}")
        return ended.stdout.strip()

    def poll(self) -> tuple[Request, ...]:
        """Read the ledger and the API's log, and print each new request."""
        if self.upload:
            self.polls.append(numbers_of_account(self.account()))
        requests = self.api.requests()
        for index in range(self._shown, len(requests)):
            new = requests[index]
            gap = f"{new.t - requests[index - 1].t:7.3f} s after the last" if index else "the first"
            self.narrator.tell(f"    {new.order_id}  {new.status}  {gap}", at=new.t)
        self._shown = len(requests)
        return requests

    def until(self, what: str, find: Callable[[tuple[Request, ...]], Found | None]) -> Found:
        """Poll until something is found. Raises DemoStuck after LIMIT_SECONDS."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            found = find(self.poll())
            if found:
                return found
            time.sleep(DEMO_POLL_SECONDS)
        raise DemoStuck(f"The demo waited {LIMIT_SECONDS:.0f} s in vain for {what}.")

    def until_accepted(self, count: int) -> float:
        """Poll until the API accepted this many requests; when the last of them arrived."""

        def find(requests: tuple[Request, ...]) -> float | None:
            accepted = [request.t for request in requests if request.is_accepted]
            return accepted[count - 1] if len(accepted) >= count else None

        return self.until(f"{count} accepted orders", find)

    def accepted(self) -> int:
        """How many requests the API accepted."""
        return sum(request.is_accepted for request in self.poll())

    def account(self) -> Account:
        """The upload in the ledger. Raises DemoStuck."""
        account = self.ledger.read_account(self.upload) if self.upload else None
        if account is None:
            raise DemoStuck("The demo's upload is not in the ledger.")
        return account

    def consumer_pids(self) -> dict[str, int]:
        """The live processes of the consumer, by role."""
        return {
            entry.role: entry.pid
            for entry in self.sandbox.processes()
            if entry.role in _CONSUMER and live_process(entry.pid)
        }

    def kill_consumer(self) -> dict[str, int]:
        """SIGKILL worker, daemon and shard process at once; returns them."""
        pids = self.consumer_pids()
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        return pids
