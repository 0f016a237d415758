"""Processes as /proc tells of them: alive or gone, and whose children."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.worker import proc
from consumer.worker.proc import command_line, descendants, live_process, lives, this_place
from ledger.claim import LiveProcess


def test_this_process_lives_and_is_told_from_a_later_one_with_its_id() -> None:
    me = live_process(os.getpid())

    assert me is not None
    assert lives(me)
    assert not lives(LiveProcess(me.pid, me.started + 1))


def test_a_process_that_ended_is_gone_even_before_it_is_reaped() -> None:
    child = subprocess.Popen(["/bin/true"], stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert live_process(child.pid) is None

    child.communicate()
    assert live_process(child.pid) is None


def test_the_command_line_is_seen_while_a_process_runs() -> None:
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        running = command_line(child.pid)
        child.kill()

    assert running == tuple(command)
    assert command_line(child.pid) == ()


def test_grandchildren_are_descendants() -> None:
    program = "import subprocess; p = subprocess.Popen(['/bin/cat']); print(p.pid, flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}; p.wait()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdin
        assert child.stdout
        grandchild = int(child.stdout.readline())

        assert {child.pid, grandchild} <= descendants(os.getpid())
        assert descendants(child.pid) == {grandchild}

        child.stdin.close()


def test_the_place_is_the_same_at_each_look_and_names_the_process_namespace() -> None:
    place = this_place()

    assert place == this_place()
    assert "pid:[" in place.boot


def test_a_child_of_a_zombie_whose_other_threads_still_end_is_a_descendant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pid, state, parent in ((10, "S", 1), (20, "Z", 10), (21, "R", 20), (30, "S", 1)):
        (tmp_path / str(pid)).mkdir()
        fields = " ".join(["0"] * 30)
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (x) {state} {parent} {fields}\n")
    monkeypatch.setattr(proc, "PROC", tmp_path)

    assert descendants(10) == {21}
