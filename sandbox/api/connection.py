"""Answers the requests of one connection."""

import hashlib
import select
import socket
import struct
import time
from contextlib import suppress
from typing import assert_never

from sandbox.api.controls import control
from sandbox.api.decision import Drip, Hang, Plan, Reply, Reset, ThrottledApi
from sandbox.api.kernel_stamps import ANCILLARY_BYTES, ArrivalClock
from sandbox.api.request_log import LogEntry
from sandbox.api.request_reader import IncomingRequest, RequestReader
from sandbox.api.responses import Response

_READ_BYTES = 65_536
_NO_LINGER = struct.pack("ii", 1, 0)  # l_onoff, l_linger: close() sends a reset
_LISTEN_ON_SECONDS = 1.0


class Connection:
    """One client's connection: keep-alive, one answer after the other, on a thread of its own."""

    def __init__(self, connected: socket.socket, api: ThrottledApi, arrivals: ArrivalClock) -> None:
        self._socket = connected
        self._api = api
        self._arrivals = arrivals
        self._reader = RequestReader(self._decide, key_header=api.takes.key_header)
        self._is_over = False

    def serve(self) -> None:
        """Answer requests until either side closes."""
        connected, reader = self._socket, self._reader
        with connected, suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while not self._is_over:
                    received, ancillary, _, _ = connected.recvmsg(_READ_BYTES, ANCILLARY_BYTES)
                    if not received:
                        return
                    reader.feed(received, self._arrivals.arrival(ancillary))
                    while reader.complete and not self._is_over:
                        self._answer(reader.complete.popleft())
            finally:
                for request in (*reader.complete, reader.incoming):
                    if request is not None:
                        self._log(request, 0)
            connected.shutdown(socket.SHUT_WR)
            connected.settimeout(_LISTEN_ON_SECONDS)
            while connected.recv(_READ_BYTES):  # else what the client still sends brings it a reset
                pass

    def _decide(self, request: IncomingRequest) -> Plan | None:
        """The plan by the head alone; None where the body says which orders these are."""
        takes = self._api.takes
        if takes.is_at(request.path) and not takes.names_the_order:
            return None
        with self._api.lock:
            return self._api.decide(request.method, request.path, request.arrived_at)

    def _decide_by_body(self, request: IncomingRequest) -> Plan:
        orders = self._api.takes.orders_of(request.path, request.body)
        with self._api.lock:
            return self._api.decide(request.method, request.path, request.arrived_at, orders)

    def _answer(self, request: IncomingRequest) -> None:
        decide = self._control if request.is_control else self._decide_by_body
        match request.plan or decide(request):
            case Reply(response, due_at):
                if self._client_closes_before(due_at):
                    self._log(request, 0)
                else:
                    self._log(request, response.status)  # before the client can ask for the log
                    self._send(response, request)
            case Drip(response, pause_seconds):
                self._drip(request, response, pause_seconds)
            case Hang():
                self._client_closes_before(None)
                self._log(request, 0)
            case Reset(due_at):
                if not self._client_closes_before(due_at):
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                self._log(request, 0)
                self._socket.close()
                self._is_over = True
            case never:
                assert_never(never)
        self._is_over = self._is_over or request.closes

    def _control(self, request: IncomingRequest) -> Reply:
        body = bytes(request.body)
        response = control(self._api, request.method, request.path, body, request.arrived_at)
        return Reply(response, request.arrived_at)

    def _client_closes_before(self, moment: float | None) -> bool:
        """Wait until a moment, or without limit: does the client close first?"""
        milliseconds = None if moment is None else (moment - time.monotonic()) * 1000
        if milliseconds is not None and milliseconds <= 0:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(milliseconds))

    def _send(self, response: Response, request: IncomingRequest) -> None:
        head, body = response.head(closes=request.closes), response.body_for(request.method)
        if len(body) <= _READ_BYTES:
            self._socket.sendall(head + body)  # one packet, where it fits
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)

    def _drip(self, request: IncomingRequest, response: Response, pause_seconds: float) -> None:
        try:
            self._socket.sendall(response.head(closes=request.closes))
            for byte in response.body_for(request.method):
                time.sleep(pause_seconds)
                self._socket.sendall(bytes((byte,)))
        finally:
            self._log(request, response.status)

    def _log(self, request: IncomingRequest, status: int) -> None:
        if not request.is_control:
            orders = self._api.takes.orders_of(request.path, request.body)
            self._api.log.add(
                LogEntry(
                    t=request.arrived_at,
                    method=request.method,
                    path=request.path,
                    order_id=orders.order_id,
                    status=status,
                    idempotency_key=request.idempotency_key,
                    body_sha256=hashlib.sha256(request.body).hexdigest(),
                    order_ids=orders.batch,
                )
            )
