"""Claim a worker number, and wait while AWS is out of reach or every number is in use."""

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from secrets import token_hex

from consumer.worker.claiming import Applicant, Busy, choose, left_over_daemon
from consumer.worker.proc import live_process, lives
from consumer.worker.signals import Signals
from ledger.claim import Claim, LiveProcess
from ledger.errors import LedgerUnreachable
from ledger.ports.claims import Claims

OUT_OF_REACH_SECONDS = 60.0
"""How long the ledger may be out of reach at the start before the worker gives up."""
BUSY_SECONDS = 1.0
RETRY_SECONDS_MAX = 8.0
_KILL_SECONDS = 10.0

log = logging.getLogger(__name__)


class DaemonWillNotDie(Exception):
    """The daemon of a dead worker cannot be killed, and no other may be started beside it."""


class Patience:
    """How long the worker bears at its start with an AWS that is out of reach."""

    def __init__(self, wait: Callable[[float], None], tell: Callable[[str], None]) -> None:
        """`wait` waits so many seconds at most; `tell` gets the reason for each wait."""
        self._wait = wait
        self._tell = tell
        self.reached()

    def reached(self) -> None:
        """A call got through."""
        self._since: float | None = None
        self._retry_seconds = BUSY_SECONDS

    def bear(self, error: LedgerUnreachable) -> None:
        """Wait a little, each time longer. Raises the error after OUT_OF_REACH_SECONDS."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since >= OUT_OF_REACH_SECONDS:
            raise error
        log.warning("%s; %s; trying again in %.0f s", error, error.hint, self._retry_seconds)
        self._tell(str(error))
        self._wait(self._retry_seconds)
        self._retry_seconds = min(2 * self._retry_seconds, RETRY_SECONDS_MAX)


def wait_for_number(
    claims: Claims, applicant: Applicant, signals: Signals, *, tell: Callable[[str], None]
) -> Claim | None:
    """Claim a number; None when a signal asked to stop first.

    `tell` gets the reason for each wait. Raises LedgerUnreachable after OUT_OF_REACH_SECONDS, and
    DaemonWillNotDie.
    """
    numbers = "its only number" if applicant.workers == 1 else "a number"
    patience = Patience(signals.wait, tell)
    is_logged = False
    while not signals.stop_asked:
        try:
            got = try_to_claim(claims, applicant)
        except LedgerUnreachable as error:
            patience.bear(error)
            continue
        patience.reached()
        if isinstance(got, Claim):
            return got
        if isinstance(got, Busy):
            if not is_logged:
                log.info("waiting for %s of %s: %s", numbers, applicant.worker_id, got.who)
            is_logged = True
            tell(f"waiting for {numbers}: {got.who}")
            signals.wait(BUSY_SECONDS)
    return None


def try_to_claim(claims: Claims, applicant: Applicant) -> Claim | Busy | None:
    """Try once to claim a number. None: another worker was faster, try again.

    Kills a daemon that the number's former holder left on this machine, and waits until it is gone.
    Raises LedgerUnreachable, DaemonWillNotDie.
    """
    now = time.time()
    place = applicant.place
    choice = choose(claims.claims(applicant.worker_id), applicant, now=now, lives=lives)
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
