import os
import subprocess
import sys

from sandbox.process_tree import (
    RunningProcess,
    arguments_of,
    descendants,
    running_processes,
)


def test_descendants_are_listed_parents_first() -> None:
    processes = [
        RunningProcess(4, 3, zombie=False),
        RunningProcess(3, 1, zombie=False),
        RunningProcess(2, 1, zombie=True),
        RunningProcess(9, 8, zombie=False),
    ]

    assert [process.pid for process in descendants(1, processes)] == [3, 2, 4]


def test_a_child_is_seen_while_it_runs_and_as_a_zombie_until_it_is_reaped() -> None:
    sleep = [sys.executable, "-c", "input()"]
    with subprocess.Popen(sleep, stdin=subprocess.PIPE) as child:
        (running,) = [seen for seen in running_processes() if seen.pid == child.pid]
        arguments = arguments_of(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        (dead,) = [seen for seen in running_processes() if seen.pid == child.pid]

    assert running == RunningProcess(child.pid, os.getpid(), zombie=False)
    assert arguments == tuple(sleep)
    assert dead.zombie
    assert arguments_of(child.pid) == ()
