"""How fast were orders sent in the last minutes?

The worker writes a sample now and then into one small item, so that everybody who can read the
ledger sees the same pace: its own status page after a restart, and the `orders` command.
"""

from dataclasses import dataclass
from typing import Protocol

SAMPLE_SECONDS = 10.0
"""Samples are at least this far apart."""
KEPT_SECONDS = 900.0
"""Older samples are dropped; the chart of the status page spans this time."""
MEASURED_SECONDS = 60.0
"""The pace achieved is that of the last minute."""
MEASURED_INTERVALS = 10
"""A slow pace is measured over at least this many of its intervals."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the ledger. `at` is seconds since the epoch.

    sent: all orders ever accepted or refused. waiting: orders enqueued and not settled.
    """

    at: float
    sent: int
    waiting: int


@dataclass(frozen=True, slots=True)
class History:
    """The samples of the last minutes, oldest first."""

    samples: tuple[Sample, ...] = ()
    revision: int = 0


class HistoryStore(Protocol):
    """Where the history is kept."""

    def read_history(self) -> History:
        """The history; an empty one where there is none."""

    def swap_history(self, old: History, new: History) -> bool:
        """Write `new` (with the next revision) if the item still has `old`'s revision."""


def extended(history: History, sample: Sample) -> History:
    """The history with one sample more, or as it is where its newest sample is too young."""
    samples = history.samples
    if samples and sample.at - samples[-1].at < SAMPLE_SECONDS:
        return history
    kept = tuple(s for s in samples if sample.at - s.at <= KEPT_SECONDS and s.sent <= sample.sent)
    return History((*kept, sample), history.revision)


def achieved_per_second(
    samples: tuple[Sample, ...], latest: Sample, *, interval_seconds: float
) -> float | None:
    """Orders sent per second in the last minute (or the last MEASURED_INTERVALS intervals).

    The measure begins no earlier than the last moment at which no order waited, because an idle
    minute says nothing of the pace. None: there is nothing to measure from.
    """
    wanted_seconds = max(MEASURED_SECONDS, MEASURED_INTERVALS * interval_seconds)
    start = _measured_from(samples, latest, wanted_seconds)
    if start is None or latest.at <= start.at:
        return None
    return max(0, latest.sent - start.sent) / (latest.at - start.at)


def busy_seconds(samples: tuple[Sample, ...], latest: Sample) -> float:
    """For how long, as far as is known, orders have been waiting without a break."""
    start = _measured_from(samples, latest, KEPT_SECONDS)
    return latest.at - start.at if start else 0.0


def _measured_from(
    samples: tuple[Sample, ...], latest: Sample, wanted_seconds: float
) -> Sample | None:
    """The newest sample that is old enough, or at which nothing waited; else the oldest."""
    found: Sample | None = None
    for sample in reversed(samples):
        if sample.at >= latest.at or sample.sent > latest.sent:
            continue
        found = sample
        if latest.at - sample.at >= wanted_seconds or not sample.waiting:
            break
    return found
