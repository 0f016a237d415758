"""How is the demo set up and cleared away?"""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.dynamodb.connect import open_ledger
from orders_cli.demo.acts import SLOW, play
from orders_cli.demo.api import SandboxApi
from orders_cli.demo.file import demo_file
from orders_cli.demo.judgement import judge, tell_end
from orders_cli.demo.narrator import Narrator
from orders_cli.demo.stage import POLL_SECONDS, DemoStuck, Stage
from sandbox.judge.observations import Observed, numbers_of_status
from sandbox.running import running_sandbox

START_SECONDS = 90.0


def show(narrator: Narrator) -> bool:
    """Play the demo from its first to its last act; True where every promise was kept.

    Everything runs in a new folder and is gone afterwards; where the demo does not come to its
    end, the folder with the logs stays, and the error names it.
    """
    folder = Path(tempfile.mkdtemp(prefix="orders-demo-"))
    try:
        kept = _show(folder, narrator)
    except Exception as error:
        raise DemoStuck(f"{error} The logs are in {folder}.") from error
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return kept


def _show(folder: Path, narrator: Narrator) -> bool:
    place = folder / "sandbox"
    narrator.act("AWS, the pipeline, the API and the consumer come up on this machine")
    with (
        _relayed(place.with_name("sandbox.log"), narrator) as told_all,
        running_sandbox(place, ["--rate", SLOW], limit_seconds=START_SECONDS) as sandbox,
    ):
        told_all()
        os.environ.update(sandbox.environment(os.environ))
        stage = Stage(
            sandbox,
            folder,
            narrator,
            SandboxApi(os.environ["ORDERS_SANDBOX_API"]),
            open_ledger(os.environ["ORDERS_LEDGER_TABLE"]),
        )
        file = demo_file()
        history = play(stage, file)
        requests = stage.look()
        status = json.loads(stage.type("status", "--json"))
        stage.polls.append(numbers_of_status(status["uploads"][0]))
        seen = Observed(file.orders(stage.account().upload.id), requests, stage.polls)
        kept = tell_end(narrator, seen, judge(seen, history, file))
        narrator.line()
    narrator.tell("everything is stopped and cleared away")
    return kept


@contextmanager
def _relayed(log: Path, narrator: Narrator) -> Iterator[Callable[[], None]]:
    """Tell what the sandbox says, until the function that is handed out is called."""
    done = threading.Event()

    def relay() -> None:
        told = 0
        while True:
            is_last = done.wait(POLL_SECONDS)
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            for line in lines[told:]:
                narrator.tell(line.partition("; in another terminal")[0])
            told = len(lines)
            if is_last:
                return

    thread = threading.Thread(target=relay, name="relay", daemon=True)
    thread.start()
    try:
        yield lambda: _finish(done, thread)
    finally:
        _finish(done, thread)


def _finish(done: threading.Event, thread: threading.Thread) -> None:
    done.set()
    thread.join()
