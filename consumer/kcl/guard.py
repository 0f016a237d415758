"""When must the shard process end, and what does it tell of itself meanwhile?

A thread beside KCL's main thread, which may be blocked for hours: it watches for SIGTERM, for the
daemon's end and for a new owner of the shard, and writes the process's file in the run folder.
"""

import json
import logging
import os
import select
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from consumer.sending.crew import Surroundings
from consumer.sending.shard import LeasedShard

WATCH_SECONDS = 0.5
log = logging.getLogger(__name__)


def is_orphaned_from() -> Callable[[], bool]:
    """Tells whether the process that is this one's parent now has gone since."""
    parent = os.getppid()
    return lambda: os.getppid() != parent


class Guard:
    """Ends the process when it is no longer wanted, with what is on its way settled."""

    def __init__(
        self,
        shard: LeasedShard,
        run_folder: Path,
        around: Surroundings,
        *,
        stop_seconds: float,
        leave: Callable[[int], NoReturn],
    ) -> None:
        """`stop_seconds`: how long what is on its way may take to end."""
        self._shard = shard
        self._file = run_folder / f"shard-{os.getpid()}.json"
        self._clock = around.clock
        self._is_orphan = around.is_orphan
        self._since = around.clock.now()
        self._stop_seconds = stop_seconds
        self._leave = leave
        self._signalled, self._signal = os.pipe()

    def start(self) -> None:
        """Watch from here on. Call it from the main thread."""
        signal.signal(signal.SIGTERM, self._on_signal)
        threading.Thread(target=self._watch, name="guard", daemon=True).start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        os.write(self._signal, b"!")  # all that is safe here; the watching thread does the rest

    def _watch(self) -> None:
        while True:
            ready, _, _ = select.select([self._signalled], [], [], WATCH_SECONDS)
            delivery = self._shard.delivery
            if ready:
                log.info("told to stop")
            elif self._is_orphan():
                log.warning("the daemon is gone")
            elif delivery and delivery.is_superseded:
                log.warning("another process owns this shard now")
            else:
                self._tell()
                continue
            self.stop_and_leave()

    def stop_and_leave(self) -> NoReturn:
        """Finish and settle what is on its way, within the time for it, and end the process."""
        stopping = threading.Thread(target=self._shard.stop, name="stop", daemon=True)
        stopping.start()
        stopping.join(self._stop_seconds)
        if stopping.is_alive():
            log.warning("an attempt did not end in %s s; it may be repeated", self._stop_seconds)
        self._file.unlink(missing_ok=True)
        self._leave(0)

    def _tell(self) -> None:
        """Write the file that the worker's health check and the sandbox read."""
        delivery = self._shard.delivery
        if delivery is None:
            return
        now = self._clock.now()
        state, reason = delivery.state(now)
        told = {
            "pid": os.getpid(),
            "shard": delivery.settings.shard,
            "token": delivery.settings.token,
            "since": self._since,
            "alive_at": self._shard.alive_at,
            "checkpoint_at": self._shard.checkpoint_at,
            "unsettled": delivery.unsettled,
            "sending": state,
            "reason": reason,
        }
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(told))
        draft.rename(self._file)
