"""What do worker and shard processes tell each other, and whoever watches, by files?

The run folder holds `worker.json` (this worker's), a `shard-PID.json` for each shard process
(written by it at least each second, removed at its exit), what the daemon reads at its start, and
`metrics/`, where processes count. Every file appears by rename, so nobody reads half of one.
"""

import json
import logging
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from consumer.worker.plan import Phase

METRICS = "metrics"
_PROBE = "probe"
_PROBE_BYTES = 4_096
_OURS = ("worker.json", "kcl.properties", "shard", _PROBE)

log = logging.getLogger(__name__)


class ShardFile(BaseModel):
    """What a shard process says of itself. Moments are seconds since the epoch.

    alive_at: when its loop last turned. checkpoint_at: when KCL last took a checkpoint, None before
    the first. unsettled: orders in hand. sending: running, held, paused, blocked or idle.
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


@dataclass(frozen=True, slots=True)
class WorkerFile:
    """What the worker says of itself. number: None while it waits for one."""

    pid: int
    number: int | None
    daemon_pid: int | None
    daemon_started_at: float | None
    state: Phase


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run folder in use. is_private: made by this process, and removed with it."""

    path: Path
    is_private: bool

    @property
    def metrics(self) -> Path:
        """Where processes count: PROMETHEUS_MULTIPROC_DIR."""
        return self.path / METRICS

    def shards(self) -> list[ShardFile]:
        """What shard processes said last; a process that was killed leaves its file behind."""
        found = []
        for path in sorted(self.path.glob("shard-*.json")):
            try:
                found.append(ShardFile.model_validate_json(path.read_bytes()))
            except (FileNotFoundError, ValidationError):
                continue  # it ended just now, or another release wrote it: then it has no news
        return found

    def forget_shard(self, pid: int) -> None:
        """Remove the file of a process that is gone."""
        (self.path / f"shard-{pid}.json").unlink(missing_ok=True)

    def write_worker(self, worker: WorkerFile) -> None:
        """Tell how the worker is. Where the disk is full nobody is told; that ends nothing."""
        draft = self.path / "worker.json.new"
        try:
            draft.write_text(json.dumps(asdict(worker)), encoding="utf-8")
            draft.replace(self.path / "worker.json")
        except OSError as error:
            log.error("how this worker is cannot be told in %s: %s", self.path, error)  # noqa: TRY400

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what tells of this worker; the whole folder where it is private."""
        if self.is_private:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            _clear(self.path)


def open_run_folder(path: Path | None) -> RunFolder:
    """Make the folder, or empty it of what an earlier worker left. Raises OSError."""
    if path is None:
        folder = RunFolder(Path(tempfile.mkdtemp(prefix="orders-worker-")), is_private=True)
    else:
        path.mkdir(parents=True, exist_ok=True)
        folder = RunFolder(path.resolve(), is_private=False)
        _clear(folder.path)
    folder.metrics.mkdir()
    folder.path.chmod(0o700)
    return folder


def _clear(path: Path) -> None:
    shutil.rmtree(path / METRICS, ignore_errors=True)
    for name in _OURS:
        (path / name).unlink(missing_ok=True)
    for left in path.glob("shard-*.json"):
        left.unlink(missing_ok=True)
