"""Signal handling for a main thread that waits."""

import os
import select
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Self


class Signals:
    """Stop signals and SIGCHLD, as something that the main thread can wait for.

    Use it as a context, in the main thread. At its end the old handlers are restored.
    """

    def __init__(self, stops: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT)) -> None:
        """`stops` are the signals that ask this process to stop."""
        self.stops_asked = 0
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._kept = {
            number: signal.signal(number, self._on_signal) for number in (*stops, signal.SIGCHLD)
        }
        self._kept_writer = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    @property
    def stop_asked(self) -> bool:
        """Was this process asked to stop?"""
        return self.stops_asked > 0

    def wait(self, seconds: float) -> None:
        """Wait for the next signal, for at most `seconds`."""
        if select.select([self._reader], [], [], seconds)[0]:
            os.read(self._reader, 4096)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.stops_asked += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._kept_writer)
        for number, handler in self._kept.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)
