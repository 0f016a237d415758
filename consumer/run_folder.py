"""The run folder: the files by which worker and shard processes report their state.

It holds `worker.json`, a `shard-PID.json` for each shard process (written by it at least once a
second, removed at its exit), what the daemon reads at its start, and `metrics/`, where processes
count. Both JSON files appear by rename, so nobody reads half a file.
"""

import json
import logging
import shutil
import tempfile
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

METRICS = "metrics"
_PROBE = "probe"
_PROBE_BYTES = 4_096
_OURS = ("worker.json", "kcl.properties", "shard", _PROBE)

log = logging.getLogger(__name__)


class Phase(StrEnum):
    """The worker's phase: the `state` of worker.json. worker/plan.py draws the transitions."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDING = "ending"
    KILLING = "killing"
    ENDED = "ended"


class ShardFile(BaseModel):
    """The state of a shard process. Times are seconds since the epoch.

    alive_at: when its loop last ran. checkpoint_at: when KCL last took a checkpoint, None before
    the first. unsettled: orders in hand. sending: running, held, paused, blocked or idle.
    api_limits: what the API's last answer told about its limits, such as `60 a minute, 12 left`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    shard: str
    token: str = ""
    since: float
    alive_at: float
    checkpoint_at: float | None = None
    unsettled: int = 0
    sending: str = ""
    reason: str = ""
    api_limits: str = ""


@dataclass(frozen=True, slots=True)
class WorkerFile:
    """The state of the worker. number: None while it waits for one."""

    pid: int
    number: int | None
    daemon_pid: int | None
    daemon_started_at: float | None
    state: Phase


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run folder in use. is_private: created by this process, and removed with it."""

    path: Path
    is_private: bool

    @property
    def metrics(self) -> Path:
        """Where processes count: PROMETHEUS_MULTIPROC_DIR."""
        return self.path / METRICS

    def shards(self) -> list[ShardFile]:
        """The last state of each shard process; a process that was killed leaves its file."""
        found = []
        for path in sorted(self.path.glob("shard-*.json")):
            try:
                found.append(ShardFile.model_validate_json(path.read_bytes()))
            except (FileNotFoundError, ValidationError):
                continue  # it ended just now, or another release wrote it
        return found

    def forget_shard(self, pid: int) -> None:
        """Remove the file of a process that is gone."""
        shard_path(self.path, pid).unlink(missing_ok=True)

    def write_worker(self, worker: WorkerFile) -> None:
        """Write the worker's state; a full disk is logged and stops nothing."""
        try:
            write_by_rename(self.path / "worker.json", json.dumps(asdict(worker)))
        except OSError as error:
            log.error("the state of this worker cannot be written to %s: %s", self.path, error)  # noqa: TRY400

    def trouble(self) -> str:
        """Why nothing can be written here, as on a full disk; empty where it can."""
        probe = self.path / _PROBE
        try:
            probe.write_bytes(bytes(_PROBE_BYTES))
            probe.unlink()
        except OSError as error:
            return f"nothing can be written in {self.path}: {error}"
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove this worker's files; the whole folder where it is private."""
        if self.is_private:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            _clear(self.path)


def open_run_folder(path: Path | None) -> RunFolder:
    """Create the folder, or clear it of an earlier worker's files. Raises OSError."""
    if path is None:
        folder = RunFolder(Path(tempfile.mkdtemp(prefix="orders-worker-")), is_private=True)
    else:
        path.mkdir(parents=True, exist_ok=True)
        folder = RunFolder(path.resolve(), is_private=False)
        _clear(folder.path)
    folder.metrics.mkdir()
    folder.path.chmod(0o700)
    return folder


def shard_path(run_folder: Path, pid: int) -> Path:
    """The file of a shard process."""
    return run_folder / f"shard-{pid}.json"


def write_shard(run_folder: Path, shard: ShardFile) -> None:
    """Write the state of this shard process. Raises OSError."""
    # json escapes what UTF-8 cannot express: a reason may hold anything.
    write_by_rename(shard_path(run_folder, shard.pid), json.dumps(shard.model_dump()))


def write_by_rename(path: Path, text: str) -> None:
    """Write beside the path, then rename: a reader sees the old content or the new."""
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _clear(path: Path) -> None:
    shutil.rmtree(path / METRICS, ignore_errors=True)
    for name in _OURS:
        (path / name).unlink(missing_ok=True)
    for left in path.glob("shard-*.json"):
        left.unlink(missing_ok=True)
