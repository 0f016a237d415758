"""How does what delivery tells become numbers?"""

import logging
import time
from collections.abc import Callable
from typing import assert_never

from consumer.delivery.events import (
    Attempted,
    Event,
    HeldFor,
    LedgerFailed,
    OrdersMissing,
    OrdersSettled,
    RepeatsSkipped,
    TurnsWasted,
    WaitCapped,
    WindowSized,
)
from consumer.telemetry import catalogue

LOG_SECONDS = 30.0
"""The same failure of the ledger is logged at most so often."""

log = logging.getLogger(__name__)
RESULTS = ("accepted", "refused", "conflict", "unauthorized", "throttled", "unavailable")


def make_sink() -> Callable[[Event], None]:
    """What counts events, in this process; any thread may call it. Once a process.

    PROMETHEUS_MULTIPROC_DIR must be set before.
    """
    return _Sink()


class _Sink:
    def __init__(self) -> None:
        from consumer.telemetry.counters import counter, gauge, histogram  # noqa: PLC0415 - see there

        attempts = counter(catalogue.ATTEMPTS)
        # Exported as 0 from the start, and looked up once: this is the path of every order.
        self._attempts = {result: attempts.labels(result) for result in RESULTS}
        self._attempt_seconds = histogram(catalogue.ATTEMPT_SECONDS)
        self._gaps = histogram(catalogue.ATTEMPT_GAP)
        self._wasted = counter(catalogue.TURNS_WASTED)
        self._window = gauge(catalogue.WINDOW)
        self._repeats = counter(catalogue.REPEATS_SKIPPED)
        self._held = counter(catalogue.HELD_SECONDS)
        self._ledger_errors = counter(catalogue.LEDGER_ERRORS)
        self._capped = counter(catalogue.WAITS_CAPPED)
        self._logged: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case Attempted():
                self._count_attempt(event)
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
            case OrdersSettled() | OrdersMissing():
                pass  # the ledger counts them, and the worker exports that
            case _:
                assert_never(event)

    def _log(self, failed: LedgerFailed) -> None:
        """Say what failed; the call is made again, often many times in a row."""
        now = time.monotonic()
        if now - self._logged.get(failed.call, -LOG_SECONDS) >= LOG_SECONDS:
            self._logged[failed.call] = now
            log.warning("%s: %s; trying again", failed.call, failed.reason)

    def _count_attempt(self, event: Attempted) -> None:
        self._attempts[event.result].inc()
        self._attempt_seconds.observe(event.latency_seconds)
        if event.gap_seconds is not None:
            self._gaps.observe(event.gap_seconds)
