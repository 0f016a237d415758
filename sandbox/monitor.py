"""Watches the parts of the sandbox and lists their processes by role."""

import http.client
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

from consumer.kcl.daemon import MAIN_CLASS
from consumer.kcl.properties import SHARD_MODULE
from consumer.run_folder import RunFolder, write_by_rename
from consumer.worker.proc import command_line, descendants
from consumer.worker.signals import Signals
from sandbox.folder import SandboxFolder
from sandbox.sandbox_errors import OutOfReach, SandboxError, WrongUse
from sandbox.sandbox_options import HOST
from sandbox.subprocesses import Subprocess, Subprocesses
from sandbox.worker_service import WorkerService

_POLL_SECONDS = 0.03
_ASK_SECONDS = 2.0
_LOOK_SECONDS = 0.4  # processes.json is right within a second
_WRONG_SETTINGS = 2


class StopAskedError(Exception):
    """A signal asked the sandbox to stop while it was starting."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the sandbox: role, what a person calls it, process, and where it says "ready"."""

    role: str
    name: str
    process: Subprocess
    port: int
    path: str

    def answers(self) -> bool:
        """Whether it says 200 there."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_ASK_SECONDS)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def check_runs(self) -> None:
        """Raises WrongUse or OutOfReach where it ended by itself."""
        code = self.process.exit_code()
        if code is not None:
            raise self._ended(code)

    def _ended(self, code: int) -> SandboxError:
        how = f"signal {-code}" if code < 0 else f"code {code}"
        sentence = (
            f"{self.name} ended with {how}: {self.process.last_words().rstrip('.')}. "
            f"Its log is {self.process.log}."
        )
        return WrongUse(sentence) if code == _WRONG_SETTINGS else OutOfReach(sentence)


def await_answer(part: Part, signals: Signals, limit_seconds: float) -> None:
    """Wait until a part answers.

    Raises OutOfReach where it does not in this time, what `Part.check_runs` raises where it ends,
    and StopAskedError.
    """
    deadline = time.monotonic() + limit_seconds
    while not part.answers():
        part.check_runs()
        if time.monotonic() > deadline:
            raise OutOfReach(
                f"{part.name} did not get ready within {limit_seconds:.0f} s; "
                f"its log is {part.process.log}."
            )
        signals.wait(_POLL_SECONDS)
        if signals.stop_asked:
            raise StopAskedError


@dataclass(frozen=True, slots=True)
class ListedProcess:
    """One process; `shard` is the id of the shard that a shard process serves, if known."""

    role: str
    pid: int
    shard: str | None = None


def worker_processes(
    pids: Iterable[int],
    command_line: Callable[[int], tuple[str, ...]],
    shards: Mapping[int, str],
) -> list[ListedProcess]:
    """Daemon and shard processes among the worker's descendants, told by their command lines.

    `shards` are those that are known by the shard process's id.
    """
    daemons, found = [], []
    for pid in sorted(pids):
        arguments = command_line(pid)
        if MAIN_CLASS in arguments:
            daemons.append(ListedProcess("daemon", pid))
        elif SHARD_MODULE in arguments:
            found.append(ListedProcess("shard", pid, shards.get(pid)))
    return daemons + found


def processes_json(processes: Iterable[ListedProcess]) -> str:
    """The content of processes.json."""
    return json.dumps([asdict(process) for process in processes], indent=2) + "\n"


@dataclass(slots=True)
class Monitor:
    """Watches everything that runs, lists it in processes.json, and restarts the worker."""

    subprocesses: Subprocesses
    folder: SandboxFolder
    parts: tuple[Part, ...]
    service: WorkerService | None = None
    _listed: str = ""

    def watch(self, signals: Signals, say: Callable[[str], None]) -> None:
        """Go on until a signal asks to stop.

        Raises OutOfReach where AWS or the API ends: their memory is gone with them.
        """
        while not signals.stop_asked:
            for part in self.parts:
                part.check_runs()
            if self.service is not None:
                self.service.keep_running(say)
            self.subprocesses.reap()
            self.list_processes()
            signals.wait(_LOOK_SECONDS)

    def list_processes(self) -> None:
        """Write processes.json where it is out of date."""
        text = processes_json(self._processes())
        if text != self._listed:
            write_by_rename(self.folder.processes, text)
            self._listed = text

    def _processes(self) -> list[ListedProcess]:
        found = [ListedProcess(part.role, part.process.pid) for part in self.parts]
        worker = self.service.worker if self.service is not None else None
        if worker is not None:
            found.append(ListedProcess("worker", worker.pid))
            run_folder = RunFolder(self.folder.worker, is_private=False)
            shards = {shard.pid: shard.shard for shard in run_folder.shards()}
            found += worker_processes(descendants(worker.pid), command_line, shards)
        return found
