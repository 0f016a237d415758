"""How does the worker get its number, keep it, and notice that it lost it?"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from secrets import token_hex

from consumer.ending import die
from consumer.threads import start_thread
from consumer.worker.claiming import Applicant, Busy, choose, left_over_daemon
from consumer.worker.proc import live_process, lives
from ledger.claim import STALE_SECONDS, Claim, LiveProcess
from ledger.errors import LedgerUnreachable
from ledger.ports.claims import Claims

HEARTBEAT_SECONDS = 10.0
RETRY_SECONDS = 1.0
SURE_SECONDS = STALE_SECONDS - 10.0
"""So long after a heartbeat the claim stands for certain: a renewal that is tried then, and takes
its time to fail, ends before anybody else may hold the number."""
_KILL_SECONDS = 10.0

log = logging.getLogger(__name__)


class DaemonWillNotDie(Exception):
    """A daemon left behind by a dead worker cannot be killed; beside it no other may be started."""


def try_to_claim(claims: Claims, applicant: Applicant) -> Claim | Busy | None:
    """One try to get a number. None: somebody was faster, try again.

    Kills a daemon that the claim's former holder left on this machine, and waits until it is gone.
    Raises LedgerUnreachable, DaemonWillNotDie.
    """
    now = time.time()
    place = applicant.place
    standing = claims.claims(applicant.worker_id)
    choice = choose(standing, applicant, now=now, lives=lives)
    if isinstance(choice, Busy):
        return choice
    left = left_over_daemon(choice.instead_of, place, lives)
    me = live_process(os.getpid())
    if me is None:
        raise RuntimeError("this process is not in /proc")
    claim = Claim(
        worker_id=applicant.worker_id,
        number=choice.number,
        token=token_hex(8),
        host=place.host,
        boot=place.boot,
        worker=me,
        daemon=left,  # it stays named until it is gone, should this process die here and now
        heartbeat_at=now,
    )
    if not claims.take_claim(claim, instead_of=choice.instead_of):
        return None
    if left:
        log.warning("killing the daemon %d that a dead worker left behind", left.pid)
        _kill(left)
    return replace(claim, daemon=None)


def _kill(process: LiveProcess) -> None:
    give_up_at = time.monotonic() + _KILL_SECONDS
    while lives(process):
        if time.monotonic() >= give_up_at:
            raise DaemonWillNotDie(
                f"process {process.pid}, the daemon of a dead worker, does not end on SIGKILL; "
                "restart the machine, or give the worker another number with ORDERS_WORKERS."
            )
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.02)


def may_be_lost(silent_seconds: float, checkpoints: Iterable[float], *, now: float) -> bool:
    """May another worker hold the number while this one's daemon works on?

    Where DynamoDB is out of reach for all, nothing is sent and the claim can wait. A checkpoint
    long after the last heartbeat shows that it is this process alone that cannot reach it.
    checkpoints: when the shard processes last wrote one; these and `now` are epoch seconds.
    """
    sure_until = now - silent_seconds + SURE_SECONDS
    return now > sure_until and any(at > sure_until for at in checkpoints)


class ClaimKeeper:
    """A claim held, with its heartbeat in a thread of its own."""

    def __init__(
        self,
        claims: Claims,
        claim: Claim,
        *,
        fail: Callable[[BaseException], object] = die,
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
        """How long ago the heartbeat was that last arrived."""
        return time.monotonic() - self.renewed_at

    def name_daemon(self, daemon: LiveProcess | None) -> None:
        """Write the daemon into the claim, soon."""
        with self._lock:
            self._claim = replace(self._claim, daemon=daemon)
        self._due.set()

    def release(self) -> None:
        """Give the number up; call it when no daemon of ours lives. Raises LedgerUnreachable."""
        self._closed = True
        self._due.set()
        self._thread.join()
        if not self.lost:
            self._claims.release_claim(self._claim)

    def _beat(self) -> None:
        wait_seconds = HEARTBEAT_SECONDS
        while not self._closed:
            self._due.wait(wait_seconds)
            self._due.clear()
            if self._closed:
                return
            wait_seconds = HEARTBEAT_SECONDS if self._renew() else RETRY_SECONDS
            if self.lost:
                return

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
            # Nobody says that the ledger is out of reach: it may be this process alone that cannot
            # renew, while its daemon works on, and another worker takes the number.
            if self.silent_seconds >= SURE_SECONDS:
                raise
            log.exception("no heartbeat for worker number %d", claim.number)
            return False
        self.renewed_at = began_at
        return True
