"""How is the API started, and on which address?"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from orders.rate import NO_LIMIT, Rate
from sandbox.api.connection import Connection
from sandbox.api.decision import ThrottledApi
from sandbox.api.gap import GapRule
from sandbox.api.kernel_stamps import ArrivalClock, ask_for_stamps
from sandbox.api.quota_rule import QuotaRule
from sandbox.api.request_log import RequestLog
from sandbox.api.responses import problem
from sandbox.api.taken_requests import TakenRequests
from sandbox.sandbox_options import HOST

TAKEN = TakenRequests()
_BACKLOG = 1_024
_CONNECTIONS_MAX = 1_024
_NO_DESCRIPTOR_SECONDS = 0.05


@contextmanager
def api_in_threads(
    rate: Rate = NO_LIMIT,
    port: int = 0,
    log_file: BinaryIO | None = None,
    *,
    takes: TakenRequests = TAKEN,
    quota: QuotaRule | None = None,
) -> Iterator[str]:
    """Serve on 127.0.0.1 (port 0: a free one); yields the address without trailing slash.

    Raises OSError where the port is taken. On leaving, connections end at once.
    """
    log = RequestLog(file=log_file)
    server = _Server(port, ThrottledApi(GapRule(rate), takes, log, quota=quota or QuotaRule()))
    server.start()
    try:
        yield f"http://{HOST}:{server.port}"
    finally:
        server.stop()


class _Server:
    def __init__(self, port: int, api: ThrottledApi) -> None:
        self._listener = socket.create_server((HOST, port), backlog=_BACKLOG)
        ask_for_stamps(self._listener)  # its connections inherit it
        self._api = api
        self._arrivals = ArrivalClock()
        self._connected: set[socket.socket] = set()
        self._is_stopped = False
        self._accepting = threading.Thread(target=self._accept, name="sandbox-api", daemon=True)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        self._accepting.start()

    def stop(self) -> None:
        self._is_stopped = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for connected in tuple(self._connected):
            with suppress(OSError):  # it ended just now
                connected.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._is_stopped:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                if not self._is_stopped:  # it has no descriptor to spare now
                    time.sleep(_NO_DESCRIPTOR_SECONDS)
                continue
            if not self._has_thread(connected):
                _refuse(connected)

    def _has_thread(self, connected: socket.socket) -> bool:
        if len(self._connected) >= _CONNECTIONS_MAX:
            return False
        self._connected.add(connected)
        try:
            threading.Thread(target=self._serve, args=(connected,), daemon=True).start()
        except RuntimeError:  # this machine gives no thread more; one may end soon
            self._connected.discard(connected)
            return False
        return True

    def _serve(self, connected: socket.socket) -> None:
        try:
            Connection(connected, self._api, self._arrivals).serve()
        finally:
            self._connected.discard(connected)


def _refuse(connected: socket.socket) -> None:
    refusal = problem(503, "The sandbox's API has no room for another connection.")
    with connected, suppress(OSError):
        connected.sendall(refusal.head(closes=True) + refusal.body)
