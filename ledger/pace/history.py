"""The history of the pace, over all uploads: how fast orders were sent in the last minutes.

`consumer/telemetry/ledger_watch.py` regularly writes a sample into one small item, so that all
readers of the ledger see the same pace: its own status page after a restart, and the `orders`
command.
"""

from dataclasses import dataclass

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
    """What one poll of the ledger found. `at` is seconds since the epoch.

    sent: all orders ever accepted or refused. waiting: orders enqueued and not settled.
    target_per_second: the pace that was set; None if it was `none` or nobody had set one.
    halted_since: since when sending was halted, None if it was not (`ledger.sending_status`).
    """

    at: float
    sent: int
    waiting: int
    target_per_second: float | None = None
    halted_since: float | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The samples of the last minutes, oldest first."""

    samples: tuple[Sample, ...] = ()
    revision: int = 0


def extended(history: History, sample: Sample, before: Sample | None = None) -> History:
    """The history with one more sample, or unchanged if its newest sample is too recent.

    before: the previous sample. If nothing waited then and orders wait now, it replaces the newest
    sample if that was idle, too, so that the measurement begins when the work did.
    """
    samples = history.samples
    if before and samples and sample.waiting and _stayed_idle(samples[-1], before):
        samples = (*samples[:-1], before)
    if not samples or sample.at - samples[-1].at >= SAMPLE_SECONDS:
        samples = (*samples, sample)
    if samples is history.samples:
        return history
    kept = (s for s in samples if sample.at - s.at <= KEPT_SECONDS and s.sent <= sample.sent)
    return History(tuple(kept), history.revision)


def _stayed_idle(newest: Sample, before: Sample) -> bool:
    is_idle = not newest.waiting and not before.waiting
    return is_idle and newest.sent == before.sent and newest.at < before.at


@dataclass(frozen=True, slots=True)
class Measure:
    """The achieved pace over the `seconds` up to now."""

    per_second: float
    seconds: float


def measured(
    samples: tuple[Sample, ...], latest: Sample, *, interval_seconds: float
) -> Measure | None:
    """The pace of the last minute (or the last MEASURED_INTERVALS intervals).

    The measurement begins no earlier than the last moment at which no order waited, because an idle
    minute does not show the pace. None: there is nothing to measure from.
    """
    wanted_seconds = max(MEASURED_SECONDS, MEASURED_INTERVALS * interval_seconds)
    start = _measured_from(samples, latest, wanted_seconds)
    if start is None or latest.at <= start.at:
        return None
    seconds = latest.at - start.at
    return Measure(max(0, latest.sent - start.sent) / seconds, seconds)


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
