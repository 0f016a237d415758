"""How does a child end when the sandbox does, even by SIGKILL, and who inherits its orphans?

Linux only, like the worker.
"""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None)


def die_with(parent_pid: int) -> None:
    """Called in a new child: be killed when the thread that started it ends.

    So children are started from the main thread, which ends with the process.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it ended before it could be watched
        os._exit(1)


def inherit_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none gets out of sight."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
