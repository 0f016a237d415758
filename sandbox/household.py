"""What has to be done while the sandbox runs?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.answering import Part
from sandbox.atomically import write_by_rename
from sandbox.bell import Bell
from sandbox.children import Children
from sandbox.folder import SandboxFolder
from sandbox.process_tree import RunningProcess, arguments_of, descendants, running_processes
from sandbox.roster import RosterEntry, roster_text, shard_served_by, worker_entries
from sandbox.worker_keeper import WorkerKeeper

_LOOK_SECONDS = 0.4  # processes.json is right within a second


@dataclass(slots=True)
class Household:
    """All that runs: watched, listed in processes.json, and started again where that helps."""

    children: Children
    folder: SandboxFolder
    parts: tuple[Part, ...]
    keeper: WorkerKeeper | None = None
    _listed: str = ""

    def keep(self, bell: Bell, say: Callable[[str], None]) -> None:
        """Go on until a signal asks to stop.

        Raises OutOfReach where AWS or the API ends: their memory is gone with them.
        """
        while not bell.stops:
            for part in self.parts:
                code = part.child.exit_code()
                if code is not None:
                    raise part.ended(code)
            if self.keeper is not None:
                self.keeper.keep(say)
            processes = running_processes()
            self.children.reap(processes)
            self.write_roster(processes)
            bell.wait(_LOOK_SECONDS)

    def write_roster(self, processes: Iterable[RunningProcess]) -> None:
        """Write processes.json where it is not right any more, given what runs on this machine."""
        text = roster_text(self._entries(processes))
        if text != self._listed:
            write_by_rename(self.folder.processes, text)
            self._listed = text

    def _entries(self, processes: Iterable[RunningProcess]) -> list[RosterEntry]:
        entries = [RosterEntry(part.role, part.child.pid) for part in self.parts]
        worker = self.keeper.worker if self.keeper is not None else None
        if worker is not None:
            entries.append(RosterEntry("worker", worker.pid))
            living = [
                process.pid for process in descendants(worker.pid, processes) if not process.zombie
            ]
            entries.extend(
                worker_entries(
                    living, arguments_of, lambda pid: shard_served_by(pid, self.folder.worker)
                )
            )
        return entries
