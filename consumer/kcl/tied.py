"""How does the daemon die with the worker, however the worker dies?

Run as a script, `python -I -S tied.py WORKER_PID FOLDER PROGRAM ARGUMENT...`: it asks the kernel
for SIGKILL when the thread that started it ends, then becomes PROGRAM, in FOLDER. The worker starts
it from its main thread, which ends only with the worker.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the program. Exits 1 if the parent is gone."""
    worker_pid, folder, program, *rest = arguments
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(worker_pid):  # it died before the kernel was asked
        sys.exit(1)
    os.chdir(folder)
    os.execv(program, [program, *rest])  # noqa: S606 - a list of words is what is meant


if __name__ == "__main__":
    main(sys.argv[1:])
