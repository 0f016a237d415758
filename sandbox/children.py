"""How are the sandbox's own processes started and ended?"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.bell import Bell
from sandbox.process_tree import RunningProcess, descendants, running_processes
from sandbox.tether import die_with, inherit_orphans

_POLL_SECONDS = 0.02
_KILL_SECONDS = 5.0
_TAIL_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started here; what it writes goes to `log`.

    At the end it gets SIGTERM and `grace_seconds` for what it has in hand, or at 0 SIGKILL.
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
class Children:
    """The processes that one sandbox started, and what they in turn started.

    They all end with this process, even where that is killed; orphans among them become its
    children. To be used from the main thread: a child dies with the thread that started it.
    """

    bell: Bell
    _started: list[Child] = field(default_factory=list)
    _not_ours: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        """Become the heir of orphans, and note which children are not the sandbox's."""
        inherit_orphans()
        self._not_ours = frozenset(
            process.pid for process in running_processes() if process.parent_pid == os.getpid()
        )

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: Path,
        log: Path,
        grace_seconds: float = 0.0,
    ) -> Child:
        """Start a process in a folder.

        It has a process group of its own: Ctrl-C in a terminal reaches the sandbox alone, which
        ends its children in their order.
        """
        parent_pid = os.getpid()
        with log.open("ab") as output:
            process = subprocess.Popen(
                arguments,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=lambda: die_with(parent_pid),  # noqa: PLW1509 - prctl and getppid only
            )
        child = Child(process, log, grace_seconds)
        self._started.append(child)
        return child

    def forget(self, child: Child) -> None:
        """Take a child off the list that has ended."""
        self._started.remove(child)

    def reap(self, processes: Iterable[RunningProcess]) -> None:
        """Take leave of the orphans that have ended; `processes` are those of this machine."""
        known = self._not_ours | {child.pid for child in self._started}
        for process in processes:
            if process.zombie and process.parent_pid == os.getpid() and process.pid not in known:
                os.waitpid(process.pid, os.WNOHANG)

    def end_all(self) -> None:
        """End them all, the youngest first, and kill what is left of their descendants.

        A second stop signal ends every grace.
        """
        for child in reversed(self._started):
            self._end(child)
        self._started.clear()
        deadline = time.monotonic() + _KILL_SECONDS
        while (left := self._left()) and time.monotonic() < deadline:
            for process in left:
                if not process.zombie:
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGKILL)
            self.reap(left)
            self.bell.wait(_POLL_SECONDS)

    def _end(self, child: Child) -> None:
        deadline = time.monotonic() + child.grace_seconds
        if child.exit_code() is None and child.grace_seconds:
            child.process.terminate()
        while child.exit_code() is None:
            if time.monotonic() >= deadline or self.bell.is_urgent:
                child.process.kill()
            self.bell.wait(_POLL_SECONDS)

    def _left(self) -> list[RunningProcess]:
        processes = [
            process for process in running_processes() if process.pid not in self._not_ours
        ]
        return descendants(os.getpid(), processes)
