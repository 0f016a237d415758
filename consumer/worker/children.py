"""The worker's descendants: reap them, stop them, kill them."""

import contextlib
import ctypes
import logging
import os
import signal

from consumer.worker.proc import descendants

PR_SET_CHILD_SUBREAPER = 36

log = logging.getLogger(__name__)


def adopt_orphans() -> None:
    """Become the parent of every orphan among the descendants, as PID 1 is anyway."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_exited() -> dict[int, int]:
    """Reap exited children, adopted orphans included: exit code by process id, -N for signal N."""
    exit_codes: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):  # there is none
        while (exited := os.waitpid(-1, os.WNOHANG))[0]:
            exit_codes[exited[0]] = os.waitstatus_to_exitcode(exited[1])
    return exit_codes


class Children:
    """The daemon, the shard processes, and whatever else descends from this process."""

    def __init__(self) -> None:
        self.daemon_pid: int | None = None
        self._told: set[int] = set()

    def add_daemon(self, pid: int) -> None:
        """Note which child is the daemon; `daemon_pid` is None once it has exited."""
        self.daemon_pid = pid
        self._told.clear()

    def reap(self) -> list[int]:
        """Reap exited children, orphans included; returns their ids."""
        exit_codes = reap_exited()
        for pid, code in exit_codes.items():
            how = f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
            if pid == self.daemon_pid:
                self.daemon_pid = None
                log.warning("the daemon %d %s", pid, how)
            else:
                log.info("process %d %s", pid, how)
        return list(exit_codes)

    def living(self) -> frozenset[int]:
        """All living descendants, the daemon included."""
        return descendants(os.getpid())

    def stop_shards(self) -> None:
        """Ask each shard process, once, to finish what is in flight and to end."""
        for pid in self.living() - {self.daemon_pid} - self._told:
            self._told.add(pid)
            _send(pid, signal.SIGTERM)

    def kill_all(self) -> None:
        """Kill whatever is left. The daemon goes first, so that it starts no new child."""
        if self.daemon_pid:
            _send(self.daemon_pid, signal.SIGKILL)
        for pid in self.living():
            _send(pid, signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        os.kill(pid, number)
