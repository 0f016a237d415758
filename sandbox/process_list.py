"""Which processes make up the sandbox, by role?"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

DAEMON_CLASS = "software.amazon.kinesis.multilang.MultiLangDaemon"
SHARD_MODULE = "consumer.kcl.shard"


@dataclass(frozen=True, slots=True)
class ListedProcess:
    """One process; `shard` is the id of the shard that a shard process serves, if known."""

    role: str
    pid: int
    shard: str | None = None


def worker_processes(
    pids: Iterable[int],
    command_line: Callable[[int], tuple[str, ...]],
    shard_of: Callable[[int], str | None],
) -> list[ListedProcess]:
    """Daemon and shard processes among the worker's descendants, told by their command lines."""
    daemons, shards = [], []
    for pid in sorted(pids):
        arguments = command_line(pid)
        if DAEMON_CLASS in arguments:
            daemons.append(ListedProcess("daemon", pid))
        elif SHARD_MODULE in arguments:
            shards.append(ListedProcess("shard", pid, shard_of(pid)))
    return daemons + shards


def shard_served_by(pid: int, run_folder: Path) -> str | None:
    """The shard that a shard process said it serves, in the worker's run folder."""
    try:
        said = json.loads((run_folder / f"shard-{pid}.json").read_bytes())
    except FileNotFoundError:
        return None  # it has not said so yet
    return str(said["shard"])


def processes_json(processes: Iterable[ListedProcess]) -> str:
    """The content of processes.json."""
    return json.dumps([asdict(process) for process in processes], indent=2) + "\n"
