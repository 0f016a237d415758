"""The numbers of all processes as one page for Prometheus.

The counts of a process that ended are added to one file for all that ended, so that sums never fall
and files do not pile up over months of restarts; its gauges are dropped.
"""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from consumer.telemetry.gauges import families
from consumer.telemetry.snapshot import Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ENDED = "ended"  # in a file's name, in place of the id of a living process


class _Numbers(Protocol):
    """The part in use of prometheus_client's file, which carries no types."""

    def read_all_values(self) -> Iterable[tuple[str, float, float]]: ...
    def read_value(self, key: str) -> tuple[float, float]: ...
    def write_value(self, key: str, value: float, timestamp: float) -> None: ...
    def close(self) -> None: ...


_open: Callable[[str, bool], _Numbers] = MmapedDict
_merge: Callable[[list[str]], Iterable[Metric]] = MultiProcessCollector.merge


class Exposition:
    """The page. Any thread may ask for it."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where processes count."""
        self._folder = folder
        self._lock = threading.Lock()

    def text(self, snapshot: Snapshot) -> bytes:
        """The page: the gauges of a snapshot, then what processes counted."""
        with self._lock:  # half a fold would count twice
            # A file that was created just now is still empty.
            files = [str(p) for p in sorted(self._folder.glob("*.db")) if p.stat().st_size]
            counted = list(_merge(files))
        registry = CollectorRegistry()
        registry.register(_Collected([*families(snapshot), *counted]))
        return generate_latest(registry)

    def fold(self, lives: Callable[[int], bool]) -> None:
        """Keep the counts of ended processes, drop their files. `lives` looks a process id up."""
        with self._lock:
            for path in self._folder.glob("*.db"):
                kind, _, owner = path.stem.rpartition("_")
                if owner == _ENDED or lives(int(owner)):
                    continue
                if not kind.startswith("gauge"):
                    _add(path, path.with_stem(f"{kind}_{_ENDED}"))
                path.unlink()


class _Collected(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics

    def describe(self) -> Iterable[Metric]:
        return ()


def _add(source: Path, target: Path) -> None:
    if not source.stat().st_size:
        return
    counts, sums = _open(str(source), True), _open(str(target), False)  # noqa: FBT003 - read only
    try:
        for key, value, timestamp in counts.read_all_values():
            sums.write_value(key, sums.read_value(key)[0] + value, timestamp)
    finally:
        counts.close()
        sums.close()
