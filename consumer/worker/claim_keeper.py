"""The worker's hold on its number: the heartbeat, and noticing its loss."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from consumer.ending import die
from consumer.threads import start_thread
from ledger.claim import STALE_SECONDS, Claim, LiveProcess
from ledger.errors import LedgerUnreachable
from ledger.ports.claims import Claims

HEARTBEAT_SECONDS = 10.0
HEARTBEAT_RETRY_SECONDS = 1.0
SURE_SECONDS = STALE_SECONDS - 10.0
"""How long after a heartbeat the claim certainly stands: a renewal that is tried then, and takes
its time to fail, ends before another worker may take the number."""

log = logging.getLogger(__name__)


def may_be_lost(silent_seconds: float, checkpoints: Iterable[float], *, now: float) -> bool:
    """May another worker hold the number while this one's daemon works on?

    Where DynamoDB is out of reach for all, nothing is sent and the claim can wait. A checkpoint
    long after the last heartbeat shows that only this process cannot reach it.
    checkpoints: when the shard processes last wrote one; these and `now` are epoch seconds.
    """
    sure_until = now - silent_seconds + SURE_SECONDS
    return now > sure_until and any(at > sure_until for at in checkpoints)


class ClaimKeeper:
    """A claim, renewed by a heartbeat thread."""

    def __init__(
        self, claims: Claims, claim: Claim, *, fail: Callable[[BaseException], object] = die
    ) -> None:
        """Begin the heartbeat. `fail` ends the process, and its daemon with it."""
        self._claims = claims
        self._claim = claim
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._closed = False
        self.lost = False
        self.renewed_at = time.monotonic()
        self._thread = start_thread("claim", self._beat, fail=fail)

    @property
    def number(self) -> int:
        """The worker number."""
        return self._claim.number

    @property
    def silent_seconds(self) -> float:
        """The time since the last heartbeat that got through."""
        return time.monotonic() - self.renewed_at

    def name_daemon(self, daemon: LiveProcess | None) -> None:
        """Have the daemon written into the claim, soon."""
        with self._lock:
            self._claim = replace(self._claim, daemon=daemon)
        self._due.set()

    def release(self) -> None:
        """Give the number up, once none of our daemons runs. Raises LedgerUnreachable."""
        self._closed = True
        self._due.set()
        self._thread.join()
        if not self.lost:
            self._claims.release_claim(self._claim)

    def _beat(self) -> None:
        wait_seconds = HEARTBEAT_SECONDS
        while not self.lost:
            self._due.wait(wait_seconds)
            self._due.clear()
            if self._closed:
                return
            wait_seconds = HEARTBEAT_SECONDS if self._renew() else HEARTBEAT_RETRY_SECONDS

    def _renew(self) -> bool:
        with self._lock:
            self._claim = replace(self._claim, heartbeat_at=time.time())
            claim = self._claim
        began_at = time.monotonic()
        try:
            self.lost = not self._claims.renew_claim(claim)
        except LedgerUnreachable as error:
            # Nothing is sent without the ledger, so a number that is lost meanwhile does no harm
            # until the ledger is back, and then this renewal tells; see may_be_lost.
            log.warning("no heartbeat for worker number %d: %s", claim.number, error)
            return False
        except Exception:
            # The ledger may be in reach, and only this process unable to renew: its daemon would
            # work on while another worker takes the number.
            if self.silent_seconds >= SURE_SECONDS:
                raise
            log.exception("no heartbeat for worker number %d", claim.number)
            return False
        self.renewed_at = began_at
        return True
