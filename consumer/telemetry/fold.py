"""What becomes of the numbers of a process that ended?

Its counts are added to one file for all that ended, so that sums never fall and files do not pile
up over months of restarts; its gauges are dropped.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from prometheus_client.mmap_dict import MmapedDict

ENDED = "ended"
"""Stands in a file's name where a living process has its id."""


def fold_ended(folder: Path, lives: Callable[[int], bool]) -> None:
    """Fold the files of ended processes. Nobody may read the folder meanwhile.

    `lives` tells whether a process with this id lives.
    """
    for path in folder.glob("*.db"):
        kind, _, owner = path.stem.rpartition("_")
        if owner == ENDED or lives(int(owner)):
            continue
        if not kind.startswith("gauge"):
            _add(path, path.with_stem(f"{kind}_{ENDED}"))
        path.unlink()


def files_to_read(folder: Path) -> list[str]:
    """The files that hold numbers; one that was made just now is still empty."""
    return [str(path) for path in sorted(folder.glob("*.db")) if path.stat().st_size]


class _Numbers(Protocol):
    """What is used of prometheus_client's file, which carries no types."""

    def read_all_values(self) -> Iterable[tuple[str, float, float]]: ...
    def read_value(self, key: str) -> tuple[float, float]: ...
    def write_value(self, key: str, value: float, timestamp: float) -> None: ...
    def close(self) -> None: ...


_open: Callable[[str, bool], _Numbers] = MmapedDict


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
