"""Looking at the ledger again and again: nothing is lost or counted twice between two looks."""

from dataclasses import replace

import pytest

from consumer.telemetry.ledger_watch import LedgerWatch
from ledger.memory.ledger import MemoryLedger
from ledger.pace.change import change
from ledger.pace.history import SAMPLE_SECONDS
from ledger.pace.steps import configure
from ledger.uploads.lane import LaneKey, LaneNumber, Tally
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import LaneTail, Progress, Source, UploadState
from orders.outcome import Outcome
from orders.upload import UploadId
from orders_cli.overview import read_overview

UPLOAD = UploadId("a" * 20)
KEY = LaneKey(UPLOAD, LaneNumber(0))


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def now(self) -> float:
        return self.at


def enqueue(ledger: MemoryLedger, count: int, *, now: float) -> None:
    ledger.announce(UPLOAD, Source("bucket", "uploads/a", "v1", "etag", 1), now=now)
    ledger.start_run(UPLOAD, token="t", lanes=1, now=now)
    progress = Progress(line=count, enqueued=count, tails=(LaneTail(count, count),))
    ledger.finish_reading(
        UPLOAD, token="t", progress=progress, state=UploadState.SENDING, reason="", now=now
    )


def settle(ledger: MemoryLedger, line: int, *, ended: bool = False) -> None:
    lane = ledger.read_lane(KEY)
    assert lane
    span = Span(line - 1, line, 1, line, Outcome.ACCEPTED)
    ledger.settle(lane, Settlement((span,), ended=ended))


def test_the_backlog_shrinks_as_orders_are_settled_and_the_pace_is_measured() -> None:
    ledger, clock = MemoryLedger(), Clock()
    change(ledger, lambda pace: configure(pace, "1/s", now=0.0))
    watch = LedgerWatch(ledger, retention_seconds=lambda: 1e6, clock=clock.now)
    watch.look()
    enqueue(ledger, 50, now=clock.at)

    for line in range(1, 21):
        clock.at += 2.0
        settle(ledger, line)
        watch.look()
    seen = watch.look()

    assert seen.status.backlog.waiting == 30
    assert seen.settled == Tally(accepted=20)
    assert seen.status.pace.achieved_per_second == 0.5
    assert seen.status.estimate.seconds == 60  # at what is achieved, not at the target


def test_worker_and_command_agree_on_when_it_will_be_done() -> None:
    ledger, clock = MemoryLedger(), Clock()
    change(ledger, lambda pace: configure(pace, "1/s", now=0.0))
    watch = LedgerWatch(ledger, retention_seconds=lambda: 86_400, clock=clock.now)
    watch.look()
    enqueue(ledger, 500, now=clock.at)

    both = []
    for line in range(1, 101):
        clock.at += 2.3
        settle(ledger, line)
        on_the_page = watch.look().status
        both.append((on_the_page, read_overview(ledger, retention_hours=24, now=clock.at).report))

    assert all(on_the_page == on_the_terminal for on_the_page, on_the_terminal in both)
    assert both[-1][0].estimate.per_second == pytest.approx(1 / 2.3, rel=0.02)


def test_the_history_is_kept_for_others_and_for_the_next_worker() -> None:
    ledger, clock = MemoryLedger(), Clock()
    watch = LedgerWatch(ledger, retention_seconds=lambda: 1e6, clock=clock.now)
    for _ in range(35):
        watch.look()
        clock.at += 1.0

    times = [sample.at for sample in ledger.read_history().samples]
    assert times == [1_000_000.0 + i * SAMPLE_SECONDS for i in range(4)]

    later = LedgerWatch(ledger, retention_seconds=lambda: 1e6, clock=clock.now).look()
    assert [sample.at for sample in later.samples[:4]] == times


def test_two_workers_keep_one_history() -> None:
    ledger, clock = MemoryLedger(), Clock()
    watches = [
        LedgerWatch(ledger, retention_seconds=lambda: 1e6, clock=clock.now) for _ in range(2)
    ]
    for _ in range(50):
        for watch in watches:
            watch.look()
        clock.at += 1.0

    times = [sample.at for sample in ledger.read_history().samples]
    assert times == sorted(set(times))
    assert len(times) in {4, 5, 6}


def test_an_upload_that_ends_is_neither_lost_nor_counted_twice() -> None:
    ledger, clock = MemoryLedger(), Clock()
    watch = LedgerWatch(ledger, retention_seconds=lambda: 1e6, clock=clock.now)
    enqueue(ledger, 2, now=clock.at)
    settle(ledger, 1)
    watch.look()

    settle(ledger, 2, ended=True)
    ledger.close_if_drained(UPLOAD, now=clock.at)
    seen = watch.look()

    assert seen.open_accounts == ()
    assert [account.upload.state for account in seen.just_ended] == [UploadState.DONE]
    assert seen.settled == Tally(accepted=2)


def test_an_upload_that_ends_between_two_reads_of_one_look_counts_once() -> None:
    class Racing(MemoryLedger):
        """Closes the upload just after the open ones were listed, once."""

        raced = False

        def ended_tally(self) -> Tally:
            tally = super().ended_tally()
            if not self.raced:
                self.raced = True
                settle(self, 2, ended=True)
                self.close_if_drained(UPLOAD, now=0.0)
            return tally

    ledger = Racing()
    enqueue(ledger, 2, now=0.0)
    settle(ledger, 1)

    seen = LedgerWatch(ledger, retention_seconds=lambda: 1e6, clock=Clock().now).look()

    assert seen.settled == Tally(accepted=2)
    assert seen.status.backlog.waiting == 0


def test_a_later_sample_is_what_the_report_measures_from() -> None:
    ledger, clock = MemoryLedger(), Clock()
    watch = LedgerWatch(ledger, retention_seconds=lambda: 1e6, clock=clock.now)

    first = watch.look()
    clock.at += 1.0
    second = watch.look()

    assert first.status.pace.achieved_per_second is None
    assert second.status.pace.achieved_per_second == 0.0
    assert replace(second.samples[0], at=0.0) == replace(second.samples[1], at=0.0)
