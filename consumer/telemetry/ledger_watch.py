"""Repeated looks at the ledger."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from consumer.telemetry.snapshot import LedgerSnapshot, never_falling
from ledger.pace.history import KEPT_SECONDS, History, Sample, extended
from ledger.ports.pace import HistoryStore, PaceStore
from ledger.ports.uploads import UploadLedger
from ledger.report import LedgerView, report, sent_of
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account

if TYPE_CHECKING:
    from orders.upload import UploadId

JUST_ENDED_MAX = 50
_LOOKS_AGAIN = 3


class WatchedLedger(UploadLedger, PaceStore, HistoryStore, Protocol):
    """The parts of the ledger in use."""


class LedgerWatch:
    """Looks at the ledger, and records the history of the pace. One thread uses it."""

    def __init__(
        self,
        ledger: WatchedLedger,
        *,
        retention_seconds: Callable[[], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._retention_seconds = retention_seconds
        self._clock = clock
        self._history: History | None = None
        self._samples: deque[Sample] = deque()
        self._settled = Tally()
        self._open_ids: set[UploadId] = set()
        self._just_ended: dict[UploadId, Account] = {}

    def look(self) -> LedgerSnapshot:
        """One look, with a sample for the history. Raises LedgerUnreachable."""
        if self._history is None:  # what an earlier worker saw counts, too
            self._history = self._ledger.read_history()
            self._samples.extend(self._history.samples)
        accounts, ended = self._read_together()
        self._note_ended(accounts)
        pace = self._ledger.read_pace()
        now = self._clock()
        # `orders status` reads the same samples from the ledger, so it gives the same answer.
        view = LedgerView(accounts, ended, pace, self._history.samples)
        status = report(view, retention_seconds=self._retention_seconds(), now=now)
        self._settled = never_falling(self._settled, status.settled)
        sample = replace(status.sample, sent=sent_of(self._settled))
        self._history = self._kept(self._history, sample)
        self._samples.append(sample)
        while now - self._samples[0].at > KEPT_SECONDS:
            self._samples.popleft()
        just_ended, samples = tuple(self._just_ended.values()), tuple(self._samples)
        return LedgerSnapshot(status, accounts, just_ended, self._settled, samples)

    def _note_ended(self, accounts: tuple[Account, ...]) -> None:
        """Read the uploads that were closed since, once more."""
        ids = {account.upload.id for account in accounts}
        for gone in self._open_ids - ids:
            account = self._ledger.read_account(gone)
            if account:
                self._just_ended[gone] = account
        while len(self._just_ended) > JUST_ENDED_MAX:
            del self._just_ended[next(iter(self._just_ended))]
        self._open_ids = ids

    def _read_together(self) -> tuple[tuple[Account, ...], Tally]:
        """Open uploads and the sum of the ended ones, no upload missing or counted twice."""
        ended = self._ledger.ended_tally()
        accounts: tuple[Account, ...] = ()
        for _ in range(_LOOKS_AGAIN):
            accounts = tuple(self._ledger.open_accounts())
            before, ended = ended, self._ledger.ended_tally()
            if before == ended:
                break
        return accounts, ended

    def _kept(self, history: History, sample: Sample) -> History:
        longer = extended(history, sample, self._samples[-1] if self._samples else None)
        if longer is history:
            return history
        if self._ledger.swap_history(history, longer):
            return replace(longer, revision=history.revision + 1)
        return self._ledger.read_history()  # another worker wrote it first
