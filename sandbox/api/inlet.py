"""How do a connection's bytes come in together with the time of their arrival?"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import cast

from sandbox.api.arrival import ANCILLARY_BYTES, ArrivalClock

_READ_BYTES = 262_144


class Inlet:
    """Reads a connection in place of its transport, which cannot tell the kernel's stamps.

    The transport goes on to write and to end the connection; its own reading is paused.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        clock: ArrivalClock,
        take: Callable[[bytes, float], None],
    ) -> None:
        transport.pause_reading()
        connection = cast("socket.socket", transport.get_extra_info("socket"))
        self._transport = transport
        self._clock = clock
        self._take = take
        # A second descriptor: the loop lets nobody else watch the transport's.
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self._socket.setblocking(False)  # noqa: FBT003 - the parameter is positional only
        self._loop = asyncio.get_running_loop()
        self._is_open = False
        self.open()

    def open(self) -> None:
        """Read; does nothing while it does."""
        if not self._is_open:
            self._loop.add_reader(self._socket, self._read)
            self._is_open = True

    def shut(self) -> None:
        """Do not read for now: what arrives waits in the kernel, with its stamps."""
        if self._is_open:
            self._loop.remove_reader(self._socket)
            self._is_open = False

    def close(self) -> None:
        """Read no more."""
        self.shut()
        self._socket.close()

    def _read(self) -> None:
        try:
            received, ancillary, _, _ = self._socket.recvmsg(_READ_BYTES, ANCILLARY_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.shut()
            self._transport.abort()
            return
        if received:
            self._take(received, self._clock.arrival(ancillary))
        else:
            self.shut()
            self._transport.close()
