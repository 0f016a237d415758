"""End the shard process when it must end, and report its state until then.

A thread beside KCL's main thread, which may be blocked for hours: it watches for SIGTERM, for the
daemon's end and for a new owner of the shard, and writes the process's file in the run folder.
"""

import logging
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from consumer.delivery.delivery import Delivery
from consumer.ending import last_words
from consumer.run_folder import ShardFile, shard_path, write_shard
from consumer.sending.leased_shard import LeasedShard
from consumer.sending.sender_threads import ProcessHooks
from consumer.threads import start_thread

GUARD_SECONDS = 0.5
log = logging.getLogger(__name__)


def is_orphaned_from() -> Callable[[], bool]:
    """A function that tells whether this process has lost its present parent."""
    parent = os.getppid()
    return lambda: os.getppid() != parent


class Guard:
    """Ends the process when it is no longer wanted, once what is in flight is settled."""

    def __init__(  # noqa: PLR0913 - put together once, in shard_parts.py
        self,
        shard: LeasedShard,
        run_folder: Path,
        hooks: ProcessHooks,
        *,
        stop_seconds: float,
        leave: Callable[[int], NoReturn],
        limits_told: Callable[[], str] = str,
    ) -> None:
        """`stop_seconds`: how long what is in flight may take to end.

        limits_told: what the API last told about its limits, for the process's file.
        """
        self.shard = shard
        self._run_folder = run_folder
        self._file = shard_path(run_folder, os.getpid())
        self._clock = hooks.clock
        self._is_orphan = hooks.is_orphan
        self._fail = hooks.fail
        self._since = hooks.clock.now()
        self._stop_seconds = stop_seconds
        self._leave = leave
        self._limits_told = limits_told
        self._is_unwritten = False  # could the file not be written the last time?
        self._signalled, self._signal = os.pipe()

    def start(self) -> None:
        """Start watching. Call it from the main thread."""
        signal.signal(signal.SIGTERM, self._on_signal)
        start_thread("guard", self._watch, fail=self._fail)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        os.write(self._signal, b"!")  # all that is safe here; the thread does the rest

    def _watch(self) -> None:
        while True:
            ready, _, _ = select.select([self._signalled], [], [], GUARD_SECONDS)
            delivery = self.shard.delivery
            if ready:
                self.stop_and_leave("told to stop", level=logging.INFO)
            elif self._is_orphan():
                self.stop_and_leave("the daemon is gone")
            elif delivery and delivery.is_superseded:
                self.stop_and_leave("another process owns this shard now")
            else:
                self._report(delivery)

    def stop_and_leave(self, why: str, *, level: int = logging.WARNING) -> NoReturn:
        """Finish and settle what is in flight, in at most `stop_seconds`, and end the process."""
        try:
            last_words(lambda: log.log(level, "%s", why))
            stopping = start_thread("stop", self.shard.stop, fail=self._fail)
            stopping.join(self._stop_seconds)
            if stopping.is_alive():
                late = f"an attempt did not end in {self._stop_seconds} s; it may be repeated"
                last_words(lambda: log.warning("%s", late))
            self._file.unlink(missing_ok=True)
        except BaseException as error:  # noqa: BLE001 - on the way to the end nothing may raise
            self._fail(error)
        self._leave(0)

    def _report(self, delivery: Delivery | None) -> None:
        """Write this process's file. A full disk ends nothing: the worker notices it, too."""
        if delivery is None:
            return
        state, reason = delivery.state(self._clock.now())
        shard = ShardFile(
            pid=os.getpid(),
            shard=delivery.settings.shard,
            token=delivery.settings.token,
            since=self._since,
            alive_at=self.shard.alive_at,
            checkpoint_at=self.shard.checkpoint_at,
            unsettled=delivery.unsettled,
            sending=state,
            reason=reason,
            api_limits=self._limits_told(),
        )
        try:
            write_shard(self._run_folder, shard)
        except OSError as error:
            failure = f"the state of this process cannot be written to {self._file}: {error}"
            if not self._is_unwritten:
                last_words(lambda: log.error("%s; orders are sent all the same", failure))  # noqa: TRY400
            self._is_unwritten = True
        else:
            self._is_unwritten = False
