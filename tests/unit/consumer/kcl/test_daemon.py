"""How the daemon is started: which Java, which options, and its life tied to the worker's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.kcl.daemon import JARS_AT_LEAST, Java, JavaMissing, find_java, java_command, start
from consumer.kcl.tied import tied
from consumer.worker.proc import live_process
from tests.support.eventually import eventually

JAVA = Java(Path("/opt/java"), Path("/opt/jars"), 128)


def test_the_java_of_this_environment_is_found_with_its_jars() -> None:
    java = find_java(None, heap_megabytes=64)

    assert os.access(java.program, os.X_OK)
    assert len(list(java.jars.glob("*.jar"))) >= JARS_AT_LEAST


def test_a_java_that_is_not_there_is_named_with_its_setting() -> None:
    with pytest.raises(JavaMissing, match="ORDERS_JAVA is '/no/java'"):
        find_java("/no/java", heap_megabytes=64)


def test_the_command_bounds_the_heap_and_names_the_log_configuration() -> None:
    command = java_command(JAVA, Path("/run/kcl.properties"), cbor=True)

    assert command[0] == "/opt/java"
    assert "-Xmx128m" in command
    assert "-XX:+ExitOnOutOfMemoryError" in command
    assert any(word.startswith("-Dlogback.configurationFile=") for word in command)
    assert command[-2:] == ["--properties-file", "/run/kcl.properties"]
    assert not any("cborEnabled" in word for word in command)


def test_a_stand_in_for_aws_is_spoken_to_without_cbor() -> None:
    command = java_command(JAVA, Path("/run/kcl.properties"), cbor=False)

    assert "-Daws.cborEnabled=false" in command


def test_the_daemon_runs_in_its_folder_as_leader_of_its_own_group(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = (
        "import os, sys; print(os.getcwd(), os.getpgrp() == os.getpid(), file=open('said','w'))"
    )

    pid = start([sys.executable, "-c", program], folder=tmp_path, environment=os.environ)
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert said.read_text(encoding="utf-8").split() == [str(tmp_path), "True"]


def test_the_daemon_dies_with_the_worker_however_that_dies(tmp_path: Path) -> None:
    program = (
        "import os, time\n"
        "from pathlib import Path\n"
        "from consumer.kcl.daemon import start\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "pid = start(['/bin/sleep', '60'], folder=folder, environment=os.environ)\n"
        "print(pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        daemon_pid = int(worker.stdout.readline())
        assert live_process(daemon_pid)

        worker.send_signal(signal.SIGKILL)
        worker.wait()

    eventually(lambda: not live_process(daemon_pid), "the end of the daemon")


def test_a_daemon_whose_worker_died_before_it_was_tied_does_not_begin(tmp_path: Path) -> None:
    command = tied(["/bin/true"], tmp_path)
    command[command.index(str(os.getpid()))] = "1"  # not the parent of what a test starts

    ended = subprocess.run(command, check=False)

    assert ended.returncode == 1


def test_the_class_path_names_every_jar_in_an_order_of_its_own(tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar", "c.jar", "notes.txt"):
        (tmp_path / name).touch()

    class_path = Java(Path("/opt/java"), tmp_path, 128).class_path

    assert class_path == f"{tmp_path}/a.jar:{tmp_path}/b.jar:{tmp_path}/c.jar"
