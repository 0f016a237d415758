"""A drain on a clock of its own, as a worker sees it second by second."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ledger.pace.history import History, Sample, extended
from ledger.pace.pace import Pace
from ledger.pace.steps import configure
from ledger.report import LedgerView, StatusReport, report
from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Tally
from ledger.uploads.upload import Account, Progress, Source, Upload, UploadState
from orders.upload import UploadId

ONE_PER_SECOND = configure(Pace(), "1/s", now=0.0)
IDLE_SECONDS = 120.0
"""How long the worker has been polling when the orders arrive."""


def account(
    *,
    enqueued: int,
    tally: Tally,
    state: UploadState = UploadState.SENDING,
    created_at: float = 0.0,
    estimate: int = 0,
) -> Account:
    """An upload with one lane."""
    upload = Upload(
        id=UploadId("0" * 20),
        source=Source("bucket", "uploads/a.jsonl", "v1", "etag", 10),
        state=state,
        created_at=created_at,
        updated_at=created_at,
        progress=Progress(enqueued=enqueued),
        estimate=estimate,
    )
    return Account(upload, (Lane(LaneKey(upload.id, LaneNumber(0)), tally=tally),))


@dataclass(frozen=True, slots=True)
class Drain:
    """So many orders, which come when the clock is at 0.

    speed: orders sent a second, by the time. pace_at: the pace item, by the time. is_seen: does a
    worker look then?
    """

    orders: int
    speed: Callable[[float], float]
    pace_at: Callable[[float], Pace] = lambda _: ONE_PER_SECOND
    is_seen: Callable[[float], bool] = lambda _: True

    def looks(self) -> Iterator[StatusReport]:
        """The report of each second in which a worker looks, until all is sent."""
        history, before = History(), None
        now, sent = -IDLE_SECONDS, 0.0
        while sent < self.orders:
            if self.is_seen(now):
                status, sample = self._look(history, now, int(sent))
                yield status
                history, before = extended(history, sample, before), sample
            if now >= 0:
                sent += self.speed(now)
            now += 1.0

    def _look(self, history: History, now: float, sent: int) -> tuple[StatusReport, Sample]:
        enqueued = self.orders if now >= 0 else 0
        pace, tally = self.pace_at(now), Tally(accepted=sent)
        accounts = (account(enqueued=enqueued, tally=tally),)
        view = LedgerView(accounts, Tally(), pace, history.samples)
        status = report(view, retention_seconds=90 * 86_400, now=now)
        return status, status.sample

    def at(self, share: float) -> tuple[StatusReport, float]:
        """The first look at which this share of the orders is sent, and when all of them are."""
        found = (look for look in self.looks() if look.settled.settled >= share * self.orders)
        return next(found), self._end

    @property
    def _end(self) -> float:
        now, sent = 0.0, 0.0
        while sent < self.orders:
            sent += self.speed(now)
            now += 1.0
        return now
