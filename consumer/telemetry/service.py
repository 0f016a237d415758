"""Which threads watch, and serve what they see?"""

import logging
import socket
from typing import TYPE_CHECKING

from consumer.ending import die
from consumer.settings import ConsumerSettings
from consumer.threads import start_thread
from consumer.worker.run_folder import RunFolder
from consumer.worker.view import Board

if TYPE_CHECKING:
    from threading import Thread

    from uvicorn import Server

    from consumer.telemetry.watcher import Watcher

END_SECONDS = 3.0

log = logging.getLogger(__name__)


class Telemetry:
    """Metrics, health and status page. It begins when told to, and then imports what it needs."""

    def __init__(
        self, settings: ConsumerSettings, folder: RunFolder, board: Board, listener: socket.socket
    ) -> None:
        """`listener` is bound to the address to serve on."""
        self._settings = settings
        self._folder = folder
        self._board = board
        self._listener = listener
        self._thread: Thread | None = None
        self._is_ending = False
        self._server: Server | None = None
        self._watcher: Watcher | None = None

    def begin(self) -> None:
        """Watch and serve, in threads of their own; the second time it does nothing."""
        if self._thread is None:
            self._thread = start_thread("telemetry", self._run, fail=die)

    def end(self) -> None:
        """Stop serving."""
        self._is_ending = True
        if self._watcher:
            self._watcher.stop()
        if self._server:
            self._server.should_exit = True
        if self._thread:
            self._thread.join(END_SECONDS)

    def _run(self) -> None:
        # Half a second of imports, which must not come before the daemon's start.
        from uvicorn import Config, Server  # noqa: PLC0415

        from consumer.telemetry.exposition import Exposition  # noqa: PLC0415
        from consumer.telemetry.watcher import Watcher  # noqa: PLC0415
        from consumer.telemetry.web import make_app  # noqa: PLC0415

        exposition = Exposition(self._folder.metrics)
        self._watcher = Watcher(self._settings, self._folder, self._board, exposition)
        self._watcher.start()
        app = make_app(
            self._watcher.snapshot,
            exposition,
            workers=self._settings.workers,
            watcher_lives=self._watcher.lives,
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
            raise RuntimeError("metrics, health and status page are served no more")
