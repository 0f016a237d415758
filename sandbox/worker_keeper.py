"""How does the sandbox keep a worker running, as ECS would?"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.children import Child, Children
from sandbox.code_archive import CHECKOUT
from sandbox.folder import SandboxFolder
from sandbox.restarting import RestartPolicy

_GRACE_SECONDS = 60.0  # the worker has its own limit: an attempt's deadline and a little


@dataclass(slots=True)
class WorkerKeeper:
    """Starts the worker with this environment, and again with the same when it ended."""

    children: Children
    folder: SandboxFolder
    environment: Mapping[str, str]
    worker: Child | None = None
    _policy: RestartPolicy = field(default_factory=RestartPolicy)
    _started_at: float = 0.0
    _start_at: float = 0.0

    def start(self) -> Child:
        """Start the worker now."""
        self._started_at = time.monotonic()
        self.worker = self.children.start(
            [sys.executable, "-m", "consumer"],
            self.environment,
            folder=CHECKOUT,
            log=self.folder.log_of("worker"),
            grace_seconds=_GRACE_SECONDS,
        )
        return self.worker

    def keep(self, say: Callable[[str], None]) -> None:
        """Take leave of a worker that ended, and start the next one when it is due."""
        now = time.monotonic()
        if self.worker is not None and (code := self.worker.exit_code()) is not None:
            say(f"The worker ended ({code}); it is started again.")
            self.children.forget(self.worker)
            self.worker = None
            self._start_at = self._policy.starts_at(self._started_at, now)
        if self.worker is None and now >= self._start_at:
            self.start()
