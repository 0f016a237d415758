"""The demo from set-up to clean-up."""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ledger.dynamodb.connect import open_ledger
from orders_cli.demo.acts import SLOW, play_acts
from orders_cli.demo.demo_run import DEMO_POLL_SECONDS, DemoRun, DemoStuck
from orders_cli.demo.file import demo_file
from orders_cli.demo.judgement import judge, tell_end
from orders_cli.demo.narrator import Narrator
from orders_cli.demo.sandbox_api import SandboxApi
from sandbox.judge.observations import Observed, numbers_of_status
from sandbox.running import running_sandbox

START_SECONDS = 90.0
OF_THIS_MACHINE = frozenset({"ORDERS_JAVA", "ORDERS_JAVA_MEGABYTES", "ORDERS_LOG_LEVEL"})
"""The demo has a file, an API and a pace of its own: of the settings around it, it uses these."""


def play_demo(narrator: Narrator) -> bool:
    """Play the demo; True where every promise was kept.

    Everything runs in a new folder and is removed afterwards; if the demo fails, the folder with
    the logs stays, and the error names it.
    """
    folder = Path(tempfile.mkdtemp(prefix="orders-demo-"))
    try:
        kept = _play(folder, narrator)
    except Exception as error:
        raise DemoStuck(f"{error} The logs are in {folder}.") from error
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return kept


def _play(folder: Path, narrator: Narrator) -> bool:
    place = folder / "sandbox"
    narrator.act("AWS, the pipeline, the API and the consumer start on this machine")
    ignored = drop_settings(os.environ)
    if ignored:
        narrator.tell(f"the demo does not use the {', '.join(ignored)} of this shell")
    with ExitStack() as stack:
        with _relayed(place.with_name("sandbox.log"), narrator):
            sandbox = stack.enter_context(
                running_sandbox(place, ["--rate", SLOW], limit_seconds=START_SECONDS)
            )
        os.environ.update(sandbox.environment(os.environ))
        api = SandboxApi(os.environ["ORDERS_SANDBOX_API"])
        ledger = open_ledger(os.environ["ORDERS_LEDGER_TABLE"])
        run = DemoRun(sandbox, folder, narrator, api, ledger)
        file = demo_file()
        history = play_acts(run, file)
        requests = run.poll()
        status = json.loads(run.type("status", "--json"))
        run.polls.append(numbers_of_status(status["uploads"][0]))
        seen = Observed(file.orders(run.account().upload.id), requests, run.polls)
        kept = tell_end(narrator, seen, judge(seen, history, file))
        narrator.line()
    narrator.tell("everything is stopped and cleaned up")
    return kept


def drop_settings(environment: MutableMapping[str, str]) -> list[str]:
    """Take out what would change the demo; returns the names."""
    names = sorted(
        name for name in environment if name.startswith("ORDERS_") and name not in OF_THIS_MACHINE
    )
    for name in names:
        del environment[name]
    return names


@contextmanager
def _relayed(log: Path, narrator: Narrator) -> Iterator[None]:
    """Print what the sandbox says meanwhile."""
    done = threading.Event()

    def relay() -> None:
        printed, is_last = 0, False
        while not is_last:
            is_last = done.wait(DEMO_POLL_SECONDS)
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            for line in lines[printed:]:
                narrator.tell(line.partition("; in another terminal")[0])
            printed = len(lines)

    thread = threading.Thread(target=relay, name="relay", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
