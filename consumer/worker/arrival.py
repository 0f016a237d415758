"""How does a worker come to hold a number: when AWS is away, and when all numbers are taken?"""

import logging
import time
from collections.abc import Callable

from consumer.worker.claim_keeper import try_to_claim
from consumer.worker.claiming import Applicant, Busy
from consumer.worker.signals import Signals
from ledger.claim import Claim
from ledger.errors import LedgerUnreachable
from ledger.ports.claims import Claims

OUT_OF_REACH_SECONDS = 60.0
"""So long the ledger may be out of reach at the start; then the worker gives up."""
BUSY_SECONDS = 1.0
RETRY_SECONDS_MAX = 8.0

log = logging.getLogger(__name__)


def wait_for_number(
    claims: Claims, applicant: Applicant, signals: Signals, *, tell: Callable[[str], None]
) -> Claim | None:
    """Claim a number; None when a signal asked to stop first.

    `tell` hears what is waited for. Raises LedgerUnreachable after OUT_OF_REACH_SECONDS, and
    DaemonWillNotDie.
    """
    unreachable_since: float | None = None
    retry_seconds = BUSY_SECONDS
    said = ""
    while not signals.stop_asked:
        try:
            got = try_to_claim(claims, applicant)
        except LedgerUnreachable as error:
            now = time.monotonic()
            unreachable_since = now if unreachable_since is None else unreachable_since
            if now - unreachable_since >= OUT_OF_REACH_SECONDS:
                raise
            log.warning("%s; %s; trying again in %.0f s", error, error.hint, retry_seconds)
            tell(str(error))
            signals.wait(retry_seconds)
            retry_seconds = min(2 * retry_seconds, RETRY_SECONDS_MAX)
            continue
        unreachable_since, retry_seconds = None, BUSY_SECONDS
        if isinstance(got, Claim):
            return got
        if isinstance(got, Busy):
            numbers = "its only number" if applicant.workers == 1 else "a number"
            if not said:
                log.info("waiting for %s of %s: %s", numbers, applicant.worker_id, got.who)
            said = got.who
            tell(f"waiting for {numbers}: {got.who}")
            signals.wait(BUSY_SECONDS)
    return None
