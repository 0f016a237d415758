"""Kernel time stamps: when bytes arrived on a connection, however busy this process was."""

import socket
import struct
import sys
import time
from collections.abc import Iterable

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module does not name it
_TIMESPEC = struct.Struct("@qq")
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_BRACKET_SECONDS = 20e-6
_NOISE_SECONDS = 1e-3
_OLDEST_SECONDS = 10.0  # beyond it the wall clock was set between the stamp and now


def ask_for_stamps(listener: socket.socket) -> None:
    """Have the kernel stamp what arrives on a listener's connections (Linux only).

    Waiting for a processor puts milliseconds between the arrival of a request and the moment at
    which a program reads it, and so makes gaps look shorter or longer than they were.
    """
    if sys.platform == "linux":
        listener.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


class ArrivalClock:
    """Tells arrivals in seconds of the monotonic clock.

    The kernel stamps in wall-clock time; both clocks are read together, again and again, so that
    a wall clock that is set or slowed moves no arrival.
    """

    def __init__(self) -> None:
        self._monotonic_less_wall = 0.0
        self._compare(bracket_seconds=1.0)

    def arrival(self, ancillary: Iterable[tuple[int, int, bytes]]) -> float:
        """When the bytes arrived that came with these control messages; now, where none says."""
        now = self._compare()
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(content)
                arrived_at: float = seconds + nanoseconds * 1e-9 + self._monotonic_less_wall
                if -_NOISE_SECONDS <= now - arrived_at <= _OLDEST_SECONDS:
                    return min(arrived_at, now)
        return now

    def _compare(self, bracket_seconds: float = _BRACKET_SECONDS) -> float:
        before = time.monotonic()
        wall = time.time()
        after = time.monotonic()
        if after - before <= bracket_seconds:  # else this process was held up between the two
            self._monotonic_less_wall = (before + after) / 2 - wall
        return after
