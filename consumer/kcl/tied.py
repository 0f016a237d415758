"""Start a child process that dies with its parent, however the parent dies.

Run as a script, `python -I -S tied.py PARENT_PID FOLDER PROGRAM ARGUMENT...`: it asks the kernel
for SIGKILL when the thread that started it ends (the parent-death signal), then becomes PROGRAM, in
FOLDER. So it is started from the main thread, which ends only with the process.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tied(command: list[str], folder: os.PathLike[str]) -> list[str]:
    """The command that runs `command` in `folder`, tied to the life of this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), os.fspath(folder), *command]


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the program. Exits 1 if the parent is gone."""
    parent_pid, folder, program, *rest = arguments
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(parent_pid):  # it died before the kernel was asked
        sys.exit(1)
    os.chdir(folder)
    os.execv(program, [program, *rest])  # noqa: S606 - a list of words is what is meant


if __name__ == "__main__":
    main(sys.argv[1:])
