"""Counting in one process, so that the worker can export the sum over all processes.

prometheus_client keeps each process's numbers in files in PROMETHEUS_MULTIPROC_DIR, which must be
set before anything is counted.
"""

import logging
import os
import time
from typing import assert_never

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from consumer.delivery.events import (
    Attempted,
    Event,
    HeldFor,
    LedgerFailed,
    OrdersMissing,
    RepeatsSkipped,
    TurnsWasted,
    WaitCapped,
    WindowSized,
)
from consumer.telemetry import catalogue
from consumer.telemetry.catalogue import Metric

LOG_SECONDS = 30.0
"""A ledger call that keeps failing is logged at most this often."""
RESULTS = (
    *("accepted", "refused", "conflict", "unauthorized", "throttled", "unavailable"),
    "answered",  # for each order of a batch
)

_PID = os.getpid()
# A process that counts never forks, so it need not ask the kernel who it is at each of five counts
# for each order.
values.ValueClass = values.MultiProcessValue(lambda: _PID)  # type: ignore[no-untyped-call]

# Never exported itself: its numbers are in the files, and the worker reads those of all processes.
_REGISTRY = CollectorRegistry()

log = logging.getLogger(__name__)


def counter(metric: Metric) -> Counter:
    """A counter of this process. Call it once per metric."""
    return Counter(metric.name, metric.about, metric.labels, registry=_REGISTRY)


def _histogram(metric: Metric) -> Histogram:
    return Histogram(metric.name, metric.about, buckets=metric.buckets, registry=_REGISTRY)


class Sink:
    """Counts delivery's events; any thread may call it. One per process."""

    def __init__(self) -> None:
        attempts = counter(catalogue.ATTEMPTS)
        # Exported as 0 from the start, and looked up once: this is the path of every order.
        self._attempts = {result: attempts.labels(result) for result in RESULTS}
        self._attempt_seconds = _histogram(catalogue.ATTEMPT_SECONDS)
        self._gaps = _histogram(catalogue.ATTEMPT_GAP)
        self._wasted = counter(catalogue.TURNS_WASTED)
        window = catalogue.WINDOW
        self._window = Gauge(
            window.name, window.about, multiprocess_mode="livesum", registry=_REGISTRY
        )
        self._repeats = counter(catalogue.REPEATS_SKIPPED)
        self._held = counter(catalogue.HELD_SECONDS)
        self._ledger_errors = counter(catalogue.LEDGER_ERRORS)
        self._capped = counter(catalogue.WAITS_CAPPED)
        self._logged: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Attempted():
                self._attempts[event.result].inc()
                self._attempt_seconds.observe(event.latency_seconds)
                if event.gap_seconds is not None:
                    self._gaps.observe(event.gap_seconds)
            case TurnsWasted():
                self._wasted.inc(event.count)
            case WindowSized():
                self._window.set(event.orders)
            case RepeatsSkipped():
                self._repeats.inc(event.count)
            case HeldFor():
                self._held.labels(event.reason).inc(event.seconds)
            case LedgerFailed():
                self._ledger_errors.inc()
                self._log(event)
            case WaitCapped():
                self._capped.inc()
            case OrdersMissing():
                pass  # the ledger counts them, and the worker exports its counts
            case _:
                assert_never(event)

    def _log(self, failed: LedgerFailed) -> None:
        """Log a failed call; it is made again, often many times in a row."""
        now = time.monotonic()
        if now - self._logged.get(failed.call, -LOG_SECONDS) >= LOG_SECONDS:
            self._logged[failed.call] = now
            log.warning("%s: %s; trying again", failed.call, failed.reason)
