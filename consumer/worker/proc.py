"""The processes of this machine, from /proc (Linux only)."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from ledger.claim import LiveProcess

PROC = Path("/proc")
_STATE, _PARENT, _STARTED = 0, 1, 19
"""Fields 3, 4 and 22 of /proc/PID/stat, counted from the end of the command: see proc(5)."""
_GONE = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process runs. Within one place a process id names one process at a time.

    boot: the kernel's boot id and the process namespace, because two containers of one machine may
    share a host name and yet not see each other's processes.
    """

    host: str
    boot: str


@dataclass(frozen=True, slots=True)
class _Stat:
    parent: int
    started: int
    is_gone: bool


def this_place() -> Place:
    """Where this process runs."""
    boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    namespace = (PROC / "self/ns/pid").readlink()
    return Place(socket.gethostname(), f"{boot} {namespace}")


def live_process(pid: int) -> LiveProcess | None:
    """The process with this id now, None where there is none (a zombie is none)."""
    stat = _stat(pid)
    return None if stat is None or stat.is_gone else LiveProcess(pid, stat.started)


def lives(process: LiveProcess) -> bool:
    """Is this very process still alive here?"""
    return live_process(process.pid) == process


def descendants(pid: int) -> frozenset[int]:
    """All living descendants of a process.

    Those of a zombie count: while the threads of a killed JVM end one by one, it is a zombie
    already, and its children still have it as their parent.
    """
    stats: dict[int, _Stat] = {}
    for entry in os.scandir(PROC):
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            stats[int(entry.name)] = stat
    found: set[int] = set()
    newest = {pid}
    while newest:
        newest = {child for child, stat in stats.items() if stat.parent in newest} - found
        found |= newest
    return frozenset(child for child in found if not stats[child].is_gone)


def command_line(pid: int) -> tuple[str, ...]:
    """The arguments of a process; empty if it has ended."""
    try:
        line = (PROC / str(pid) / "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(line.split("\0")[:-1])


def _stat(pid: int) -> _Stat | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the command may hold spaces and parentheses
    return _Stat(int(fields[_PARENT]), int(fields[_STARTED]), fields[_STATE] in _GONE)
