"""How do signals reach the worker's loop?"""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Self


class Signals:
    """SIGTERM, SIGINT and SIGCHLD, as something that the main thread can wait for.

    Use it as a context, in the main thread. The old handlers come back at its end.
    """

    def __init__(self) -> None:
        self.stop_asked = False
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._kept = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        }
        self._kept_writer = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def wait(self, seconds: float) -> None:
        """Return at the next signal, or after so many seconds."""
        if select.select([self._reader], [], [], seconds)[0]:
            os.read(self._reader, 4096)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.stop_asked = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(self._kept_writer)
        for number, handler in self._kept.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)
