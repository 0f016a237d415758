"""Which processes descend from this one, by what Linux tells in /proc?"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ENDED = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """One process as the system lists it; a zombie has ended and waits for its parent."""

    pid: int
    parent_pid: int
    zombie: bool


def descendants(pid: int, processes: Iterable[RunningProcess]) -> list[RunningProcess]:
    """The children of a process, their children, and so on; parents before children."""
    children = defaultdict(list)
    for process in processes:
        children[process.parent_pid].append(process)
    found = list(children[pid])
    for process in found:  # grows while it is walked
        found.extend(children[process.pid])
    return found


def running_processes() -> list[RunningProcess]:
    """Every process on this machine that may be seen."""
    found = []
    for folder in _PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            stat = (folder / "stat").read_text(errors="replace")
        except OSError:
            continue  # it ended while the list was read
        # "pid (name) state parent ...": the name may hold spaces and parentheses.
        state, parent_pid = stat[stat.rindex(")") + 2 :].split(maxsplit=2)[:2]
        found.append(RunningProcess(int(folder.name), int(parent_pid), state in _ENDED))
    return found


def arguments_of(pid: int) -> tuple[str, ...]:
    """The command line of a process; empty where it has ended."""
    try:
        line = (_PROC / str(pid) / "cmdline").read_text(errors="replace")
    except OSError:
        return ()
    return tuple(line.split("\0")[:-1])
