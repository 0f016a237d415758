"""A process that is to end does, whatever became of its log, its memory and its threads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.ending import FAILED

LIMIT_SECONDS = 30.0

SCRIPT = """
import logging, os, sys, threading
from consumer import ending
ending.LAST_WORDS_SECONDS = 0.2
logging.basicConfig(level=logging.INFO)
go = threading.Event()

def end():
    go.wait()
    {end}

ending_thread = threading.Thread(target=end)
ending_thread.start()
sys.stdin.readline()
{state}
go.set()
ending_thread.join()
os._exit(99)
"""
STATES = {
    "as ever": "",
    "nobody reads stderr": "",
    "stderr is full": "os.set_blocking(2, True); [os.write(2, b'x' * 4096) for _ in range(16)]",
    "stderr is closed": "sys.stderr.close()",
    "there is no stderr": "sys.stderr = None",
    "no thread can be started": """
def refuse(*_): raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
""",
    "memory is short": """
def refuse(*_, **__): raise MemoryError
threading.Thread.__init__ = refuse
""",
    "the error cannot be shown": """
import traceback
def refuse(*_): raise RecursionError
traceback.format_exception = refuse
""",
}
ENDS = {"die": "ending.die(ValueError('the reason'))", "leave": "ending.leave(3)"}
CODES = {"die": FAILED, "leave": 3}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("state", STATES)
def test_a_process_that_one_of_its_threads_is_to_end_does(state: str, end: str) -> None:
    script = SCRIPT.replace("{state}", STATES[state]).replace("{end}", ENDS[end])
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stderr
        if state == "nobody reads stderr":
            process.stderr.close()
        process.stdin.write(b"\n")
        process.stdin.flush()

        assert process.wait(LIMIT_SECONDS) == CODES[end]

        if state == "as ever":
            assert (b"ValueError: the reason" in process.stderr.read()) == (end == "die")


def ended(script: str, folder: Path) -> int:
    """The exit code of a process that runs this, unless it lives on."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", f"{script}\nimport time\ntime.sleep({LIMIT_SECONDS})"],
        check=False,
        env=environment,
        timeout=LIMIT_SECONDS * 2,
        stderr=subprocess.DEVNULL,
    ).returncode


TELEMETRY = """
from types import SimpleNamespace
from pathlib import Path
import uvicorn
from consumer.telemetry.service import Telemetry
from consumer.telemetry.watcher import Watcher
from consumer.run_folder import RunFolder
from consumer.telemetry.worker_view import Board

def idle(*_, **__):
    import time
    time.sleep(60)

def fails(*_, **__):
    raise OSError("by surprise")

Watcher._look_often = Watcher._look_rarely = uvicorn.Server.run = idle
{change}
folder = RunFolder(Path("."), is_private=False)
listener = SimpleNamespace(getsockname=lambda: ("127.0.0.1", 0))
Telemetry(SimpleNamespace(workers=1), folder, Board(), listener).begin()
"""


@pytest.mark.parametrize(
    "change",
    [
        "Watcher._look_often = fails",
        "Watcher._look_rarely = fails",
        "uvicorn.Server.run = fails",
        "uvicorn.Server.run = lambda *_, **__: None",
    ],
)
def test_a_worker_ends_with_any_thread_that_watches_or_serves(change: str, tmp_path: Path) -> None:
    assert ended(TELEMETRY.format(change=change), tmp_path) == FAILED


CLAIM = """
from consumer.worker import claim_keeper
from ledger.ports.claims import Claim, LiveProcess
claim_keeper.HEARTBEAT_SECONDS = claim_keeper.HEARTBEAT_RETRY_SECONDS = 0.01
claim_keeper.SURE_SECONDS = 0.01

class Claims:
    def renew_claim(self, claim):
        raise OSError("the token file cannot be read")

claim = Claim("orders", 1, "t", "h", "b", LiveProcess(1, 1), None, 0.0)
keeper = claim_keeper.ClaimKeeper(Claims(), claim)
"""


def test_a_worker_ends_with_the_heartbeat_of_its_claim(tmp_path: Path) -> None:
    assert ended(CLAIM, tmp_path) == FAILED


def test_a_worker_whose_main_thread_fails_ends(tmp_path: Path) -> None:
    script = """
import sys, threading
import consumer.__main__ as program
import consumer.worker.run as run

def fails(settings):
    threading.Thread(target=threading.Event().wait).start()  # it would keep the process
    raise OSError("by surprise")

run.run = fails
program.load_settings = lambda: None
sys.exit(program.main())
"""

    assert ended(script, tmp_path) == FAILED
