"""Start and end the sandbox's own processes."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from consumer.kcl.tied import tied
from consumer.worker.children import adopt_orphans, reap_exited
from consumer.worker.proc import descendants
from consumer.worker.signals import Signals

_POLL_SECONDS = 0.02
_KILL_SECONDS = 5.0
_TAIL_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Subprocess:
    """A process that was started here; what it writes goes to `log`.

    At the end it gets SIGTERM and `grace_seconds` to finish its work, or at 0 SIGKILL.
    """

    process: "subprocess.Popen[bytes]"
    log: Path
    grace_seconds: float

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs. Reaps it."""
        return self.process.poll()

    def last_words(self) -> str:
        """The last line of its log that is not empty."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@dataclass(slots=True)
class Subprocesses:
    """The processes that one sandbox started, and their descendants.

    They all end with this process, even where that is killed; orphans among them become its
    children. To be used from the main thread: a child dies with the thread that started it.
    """

    signals: Signals
    _started: list[Subprocess] = field(default_factory=list)
    _not_ours: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        """Adopt orphans, and note which descendants are not the sandbox's."""
        adopt_orphans()
        self._not_ours = descendants(os.getpid())

    def start(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        *,
        folder: Path,
        log: Path,
        grace_seconds: float = 0.0,
    ) -> Subprocess:
        """Start a process in a folder.

        It has a process group of its own: Ctrl-C in a terminal reaches the sandbox alone, which
        ends its children in their order.
        """
        with log.open("ab") as output:
            process = subprocess.Popen(
                tied(arguments, folder),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        child = Subprocess(process, log, grace_seconds)
        self._started.append(child)
        return child

    def forget(self, child: Subprocess) -> None:
        """Remove a child that has ended from the list."""
        self._started.remove(child)

    def reap(self) -> None:
        """Reap what has ended, orphans included; this process must have no other children."""
        exit_codes = reap_exited()
        for child in self._started:
            if child.pid in exit_codes:
                child.process.returncode = exit_codes[child.pid]

    def end_all(self) -> None:
        """End them all, the youngest first, and kill what is left of their descendants.

        A second stop signal ends every grace period.
        """
        for child in reversed(self._started):
            self._end(child)
        self._started.clear()
        deadline = time.monotonic() + _KILL_SECONDS
        while (left := descendants(os.getpid()) - self._not_ours) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.signals.wait(_POLL_SECONDS)
            self.reap()

    def _end(self, child: Subprocess) -> None:
        deadline = time.monotonic() + child.grace_seconds
        if child.exit_code() is None and child.grace_seconds:
            child.process.terminate()
        while child.exit_code() is None:
            if time.monotonic() >= deadline or self.signals.stops_asked > 1:
                child.process.kill()
            self.signals.wait(_POLL_SECONDS)
