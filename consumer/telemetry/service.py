"""The threads that watch the system and serve what they see."""

import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from consumer.ending import die
from consumer.run_folder import RunFolder
from consumer.settings import ConsumerSettings
from consumer.telemetry.worker_view import WorkerView
from consumer.threads import start_thread

if TYPE_CHECKING:
    from threading import Thread

    from uvicorn import Server

    from consumer.telemetry.cloudwatch import CloudWatchLines
    from consumer.telemetry.watcher import Watcher

END_SECONDS = 3.0

log = logging.getLogger(__name__)


class Telemetry:
    """Metrics, health and status page; `worker` is the state that they show of the worker."""

    def __init__(
        self,
        settings: ConsumerSettings,
        folder: RunFolder,
        listener: socket.socket,
        *,
        is_alive: Callable[[int], bool],
    ) -> None:
        """`listener` is bound to the address to serve on; `is_alive` looks a process id up."""
        self.worker = WorkerView()
        self._settings = settings
        self._folder = folder
        self._listener = listener
        self._is_alive = is_alive
        self._thread: Thread | None = None
        self._is_ending = False
        self._server: Server | None = None
        self._watcher: Watcher | None = None
        self._lines: CloudWatchLines | None = None

    def begin(self) -> None:
        """Watch and serve, in threads of their own; calling it again does nothing."""
        if self._thread is None:
            self._thread = start_thread("telemetry", self._run, fail=die)

    def end(self) -> None:
        """Stop serving."""
        self._is_ending = True
        if self._watcher:
            self._watcher.stop()
        if self._lines:
            self._lines.stop()
        if self._server:
            self._server.should_exit = True
        if self._thread:
            self._thread.join(END_SECONDS)

    def _run(self) -> None:
        # Half a second of imports, which must not come before the daemon's start.
        from uvicorn import Config, Server  # noqa: PLC0415

        from consumer.telemetry.watcher import Watcher  # noqa: PLC0415
        from consumer.telemetry.web import make_app  # noqa: PLC0415

        settings, folder = self._settings, self._folder
        watcher = Watcher(settings, folder, lambda: self.worker, self._is_alive)
        self._watcher = watcher
        if settings.cloudwatch_namespace:
            self._lines = _cloudwatch_lines(settings, watcher)
        app = make_app(
            watcher.snapshot,
            watcher.exposition,
            workers=settings.workers,
            watcher_lives=watcher.lives,
        )
        config = Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            limit_concurrency=64,
            timeout_keep_alive=5,
        )
        self._server = Server(config)
        host, port = self._listener.getsockname()[:2]
        log.info("status page and metrics on http://%s:%d/", host, port)
        self._server.run(sockets=[self._listener])
        if not self._is_ending:
            raise RuntimeError("metrics, health and status page are no longer served")


def _cloudwatch_lines(settings: ConsumerSettings, watcher: "Watcher") -> "CloudWatchLines":
    # A third of a second of imports, which only this needs.
    from consumer.telemetry.cloudwatch import CloudWatchLines  # noqa: PLC0415

    return CloudWatchLines(
        settings.cloudwatch_namespace,
        settings.application,
        watcher.snapshot,
        every_seconds=settings.cloudwatch_seconds,
    )
