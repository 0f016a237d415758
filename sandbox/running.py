"""How does another program start a sandbox, look at it and stop it?"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.code_archive import CHECKOUT
from sandbox.env_file import read_env_file
from sandbox.errors import OutOfReach
from sandbox.folder import SandboxFolder
from sandbox.roster import RosterEntry
from sandbox.tether import die_with

_POLL_SECONDS = 0.02
_STOP_SECONDS = 75.0


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that another process keeps up."""

    folder: SandboxFolder
    process: "subprocess.Popen[bytes]"

    def environment(self, around: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process that is to work with this sandbox."""
        text = self.folder.environment.read_text(encoding="utf-8")
        return read_env_file(text).over(around)

    def processes(self) -> list[RosterEntry]:
        """What runs, as processes.json has it."""
        listed = json.loads(self.folder.processes.read_text(encoding="utf-8"))
        return [RosterEntry(**entry) for entry in listed]

    def stop(self) -> int:
        """Ask it to stop and wait until it has; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def running_sandbox(
    folder: Path, options: Sequence[str], *, limit_seconds: float = 60.0
) -> Iterator[RunningSandbox]:
    """A sandbox in this folder with these options of `python -m sandbox`, stopped on leaving.

    Raises OutOfReach where it does not come up within the limit. What it says is in FOLDER.log.
    """
    place = SandboxFolder(folder.absolute())
    said = place.path.with_name(f"{place.path.name}.log")
    left_over = _stamp(place.environment)
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--dir", str(place.path), *options],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stderr=log,
            preexec_fn=_tied_to_this_process(),  # noqa: PLW1509 - prctl and getppid only
        )
    sandbox = RunningSandbox(place, process)
    try:
        _await_ready(sandbox, left_over, said, limit_seconds)
        yield sandbox
    finally:
        sandbox.stop()


def _tied_to_this_process() -> Callable[[], None] | None:
    """What makes a new child end with this process: for the main thread only, whose end it is."""
    if threading.current_thread() is not threading.main_thread():
        return None
    parent_pid = os.getpid()
    return lambda: die_with(parent_pid)


def _await_ready(
    sandbox: RunningSandbox, left_over: tuple[int, int] | None, said: Path, limit_seconds: float
) -> None:
    deadline = time.monotonic() + limit_seconds
    while _stamp(sandbox.folder.environment) in (None, left_over):
        code = sandbox.process.poll()
        if code is not None or time.monotonic() > deadline:
            how = "is not ready yet" if code is None else f"ended with code {code}"
            raise OutOfReach(f"The sandbox {how}: {said.read_text(errors='replace').strip()}")
        time.sleep(_POLL_SECONDS)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells one file of this name from the next, as a killed sandbox leaves its own."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
