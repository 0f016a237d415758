"""How are the numbers of all processes put into one page for Prometheus?"""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from consumer.telemetry.fold import files_to_read, fold_ended
from consumer.telemetry.gauges import families
from consumer.telemetry.snapshot import Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


_merge: Callable[[list[str]], Iterable[Metric]] = MultiProcessCollector.merge


class Exposition:
    """The page. Any thread may ask for it."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where processes count."""
        self._folder = folder
        self._lock = threading.Lock()

    def text(self, snapshot: Snapshot) -> bytes:
        """The page: what is read off state, then what processes counted."""
        registry = CollectorRegistry()
        registry.register(_Families(lambda: families(snapshot)))
        registry.register(_Families(self._counted))
        return generate_latest(registry)

    def fold(self, lives: Callable[[int], bool]) -> None:
        """Keep the counts of ended processes, drop their files."""
        with self._lock:
            fold_ended(self._folder, lives)

    def _counted(self) -> Iterable[Metric]:
        with self._lock:  # half of a fold would count twice
            return list(_merge(files_to_read(self._folder)))


class _Families(Collector):
    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        return self._collect()

    def describe(self) -> Iterable[Metric]:
        return ()
