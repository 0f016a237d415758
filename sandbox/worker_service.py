"""Keep a worker running, as ECS would."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.code_archive import CHECKOUT
from sandbox.folder import SandboxFolder
from sandbox.subprocesses import Subprocess, Subprocesses

_GRACE_SECONDS = 60.0  # the worker has its own limit: an attempt's deadline and a little
QUICK_SECONDS = 5.0
AT_ONCE = 3
MOST_SECONDS = 30.0


@dataclass(slots=True)
class RestartPolicy:
    """At once, as ECS would; with a growing pause only where it dies quickly again and again.

    Times are seconds of one monotonic clock.
    """

    _quick_ends: int = 0

    def starts_at(self, started_at: float, ended_at: float) -> float:
        """When to start a worker again that ran from `started_at` to `ended_at`."""
        self._quick_ends = self._quick_ends + 1 if ended_at - started_at < QUICK_SECONDS else 0
        if self._quick_ends <= AT_ONCE:
            return ended_at
        return ended_at + min(MOST_SECONDS, 0.5 * 2.0 ** (self._quick_ends - AT_ONCE))


@dataclass(slots=True)
class WorkerService:
    """Starts the worker with this environment, and again with the same when it ended."""

    subprocesses: Subprocesses
    folder: SandboxFolder
    environment: Mapping[str, str]
    worker: Subprocess | None = None
    _policy: RestartPolicy = field(default_factory=RestartPolicy)
    _started_at: float = 0.0
    _start_at: float = 0.0

    def start(self) -> Subprocess:
        """Start the worker now."""
        self._started_at = time.monotonic()
        self.worker = self.subprocesses.start(
            [sys.executable, "-m", "consumer"],
            self.environment,
            folder=CHECKOUT,
            log=self.folder.log_of("worker"),
            grace_seconds=_GRACE_SECONDS,
        )
        return self.worker

    def keep_running(self, say: Callable[[str], None]) -> None:
        """Start a worker that ended again, when it is due."""
        now = time.monotonic()
        if self.worker is not None and (code := self.worker.exit_code()) is not None:
            say(f"The worker ended ({code}); it is started again.")
            self.subprocesses.forget(self.worker)
            self.worker = None
            self._start_at = self._policy.starts_at(self._started_at, now)
        if self.worker is None and now >= self._start_at:
            self.start()
