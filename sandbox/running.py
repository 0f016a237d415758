"""Start, inspect and stop a sandbox from another program."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consumer.kcl.tied import tied
from sandbox.code_archive import CHECKOUT
from sandbox.environment import read_env_file
from sandbox.folder import SandboxFolder
from sandbox.monitor import ListedProcess
from sandbox.sandbox_errors import OutOfReach

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

    def processes(self) -> list[ListedProcess]:
        """What runs, as processes.json has it."""
        listed = json.loads(self.folder.processes.read_text(encoding="utf-8"))
        return [ListedProcess(**entry) for entry in listed]

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
    command = [sys.executable, "-m", "sandbox", "--dir", str(place.path), *options]
    if threading.current_thread() is threading.main_thread():  # whose end is the process's
        command = tied(command, CHECKOUT)
    with said.open("wb") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stderr=log)
    sandbox = RunningSandbox(place, process)
    try:
        _await_ready(sandbox, left_over, said, limit_seconds)
        yield sandbox
    finally:
        sandbox.stop()


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
    """Identifies a file: a killed sandbox leaves one of the same name."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
