"""Record the calls of a real run into calls.json: `python -m tests.recording.record FOLDER`.

The reasons for what a run does not show stay as they are: they are written by hand.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from sandbox.folder import SandboxFolder
from sandbox.running import RunningSandbox
from tests.e2e.worker_watch import Watch, order_lines
from tests.support.eventually import eventually

CALLS = Path(__file__).with_name("calls.json")
ROLES = {"task": "TaskRole", "task/kcl": "TaskRole", "000000000000": "ProducerRole"}
OF_THE_RUN = ("sandbox", "driver")
COMMANDS = ("status", "uploads", "pace", "pause", "resume", "doctor", "upload", "dead-letters list")


def main() -> None:
    """Run a sandbox in the folder that is named, and write what its programs called."""
    folder = SandboxFolder(Path(sys.argv[1]).absolute())
    command = [sys.executable, "-m", "tests.recording.sandbox", "--dir", str(folder.path)]
    process = subprocess.Popen([*command, "--rate", "5/s"], stdin=subprocess.DEVNULL)
    try:
        eventually(folder.environment.exists, "the sandbox", seconds=60)
        _exercise(Watch(RunningSandbox(folder, process)), folder.path / "small.jsonl")
    finally:
        process.terminate()
        process.wait(75)
    _write(folder.path / "calls.jsonl")


def _exercise(watch: Watch, small: Path) -> None:
    own = dict(watch.environment)
    watch.environment["AWS_ACCESS_KEY_ID"] = "driver"
    watch.upload(order_lines(70))
    watch.wait_for_orders(3)
    for pid in [pid for role in ("worker", "daemon", "shard") for pid in watch.pids(role)]:
        os.kill(pid, signal.SIGKILL)
    small.write_bytes(b"\n".join(order_lines(3)))
    for words in COMMANDS:
        name, *rest = words.split()
        arguments = [name, *rest, *([str(small)] if name == "upload" else [])]
        subprocess.run(
            [sys.executable, "-m", "orders_cli.main", *arguments],
            env=own | {"AWS_ACCESS_KEY_ID": f"orders-{name}"},
            stdin=subprocess.DEVNULL,
            check=True,
        )
    watch.wait_for_orders(5)
    (worker,) = watch.pids("worker")
    os.kill(worker, signal.SIGTERM)
    eventually(lambda: watch.pids("worker") not in ([], [worker]), "the next worker", seconds=60)
    watch.wait_for_orders(2)


def _write(noted: Path) -> None:
    calls: dict[str, set[tuple[str, str]]] = {}
    for line in noted.read_text(encoding="utf-8").splitlines():
        who, call, resource = json.loads(line)
        if who not in OF_THE_RUN:
            role = ROLES.get(who, who.replace("orders-", "orders ", 1))
            # GetRecords names a shard iterator only.
            where = "orders-stream" if call == "kinesis:GetRecords" else resource
            calls.setdefault(role, set()).add((call, where))
    document = json.loads(CALLS.read_text(encoding="utf-8"))
    document["recorded"] = {role: sorted(found) for role, found in sorted(calls.items())}
    CALLS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
