"""A claim, from the first try to the day somebody else has it."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from consumer.worker import claim_keeper
from consumer.worker.arrival import try_to_claim
from consumer.worker.claim_keeper import SURE_SECONDS, ClaimKeeper, may_be_lost
from consumer.worker.claiming import Applicant, Busy
from consumer.worker.proc import live_process, this_place
from ledger.claim import STALE_SECONDS, Claim, LiveProcess
from ledger.errors import LedgerUnreachable
from ledger.memory.ledger import MemoryLedger
from tests.support.eventually import eventually

APPLICANT = Applicant("orders", 1, this_place())


def claimed(ledger: MemoryLedger) -> Claim:
    got = try_to_claim(ledger, APPLICANT)
    assert isinstance(got, Claim)
    return got


def test_a_number_is_claimed_by_this_very_process() -> None:
    claim = claimed(MemoryLedger())

    assert claim.number == 1
    assert claim.worker == live_process(os.getpid())
    assert claim.daemon is None


def test_a_second_applicant_finds_it_busy() -> None:
    ledger = MemoryLedger()
    claimed(ledger)

    assert isinstance(try_to_claim(ledger, APPLICANT), Busy)


def test_a_daemon_that_a_dead_worker_left_is_killed_before_the_number_is_used() -> None:
    ledger = MemoryLedger()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as daemon:
        left = live_process(daemon.pid)
        dead = LiveProcess(os.getpid(), 1)
        standing = replace(claimed(ledger), token="old", worker=dead, daemon=left)
        ledger.release_claim(next(iter(ledger.claims("orders"))))
        ledger.take_claim(standing, instead_of=None)

        claim = claimed(ledger)

        assert claim.token != "old"
        assert live_process(daemon.pid) is None


def test_the_heart_beats_and_names_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_keeper, "HEARTBEAT_SECONDS", 0.01)
    ledger = MemoryLedger()
    claim = claimed(ledger)
    keeper = ClaimKeeper(ledger, claim)

    keeper.name_daemon(LiveProcess(5, 50))

    eventually(lambda: next(iter(ledger.claims("orders"))).daemon == LiveProcess(5, 50))
    eventually(lambda: next(iter(ledger.claims("orders"))).heartbeat_at > claim.heartbeat_at)
    keeper.release()
    assert list(ledger.claims("orders")) == []


def test_a_claim_that_somebody_else_took_is_noticed_and_left_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claim_keeper, "HEARTBEAT_SECONDS", 0.01)
    ledger = MemoryLedger()
    keeper = ClaimKeeper(ledger, claimed(ledger))

    standing = next(iter(ledger.claims("orders")))
    while not ledger.take_claim(replace(standing, token="theirs"), instead_of=standing):
        standing = next(iter(ledger.claims("orders")))

    eventually(lambda: keeper.lost)
    keeper.release()
    assert [claim.token for claim in ledger.claims("orders")] == ["theirs"]


class FailingLedger(MemoryLedger):
    """A ledger whose renewals fail while `error` is set."""

    error: BaseException | None = None
    renewals = 0

    def renew_claim(self, claim: Claim) -> bool:
        """See Claims.renew_claim."""
        self.renewals += 1
        if self.error:
            raise self.error
        return super().renew_claim(claim)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> FailingLedger:
    monkeypatch.setattr(claim_keeper, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(claim_keeper, "HEARTBEAT_RETRY_SECONDS", 0.01)
    return FailingLedger()


def test_a_renewal_that_fails_by_surprise_is_tried_again(failing: FailingLedger) -> None:
    failures: list[BaseException] = []
    keeper = ClaimKeeper(failing, claimed(failing), fail=failures.append)

    failing.error = OSError("the token file is being replaced")
    failed_from = failing.renewals
    eventually(lambda: failing.renewals > failed_from + 2)
    failing.error = None

    began = time.monotonic()
    eventually(lambda: keeper.renewed_at > began)
    keeper.release()
    assert not keeper.lost
    assert not failures


def test_the_worker_ends_before_a_claim_that_it_cannot_renew_is_free(
    failing: FailingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_keeper, "SURE_SECONDS", 0.1)
    failures: list[BaseException] = []
    keeper = ClaimKeeper(failing, claimed(failing), fail=failures.append)

    failing.error = OSError("the token file is gone")

    eventually(lambda: bool(failures))
    assert failures == [failing.error]
    assert 0.1 <= keeper.silent_seconds < 10


def test_a_ledger_out_of_reach_does_not_end_the_worker(
    failing: FailingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_keeper, "SURE_SECONDS", 0.0)
    failures: list[BaseException] = []
    keeper = ClaimKeeper(failing, claimed(failing), fail=failures.append)

    failing.error = LedgerUnreachable("no answer", hint="")
    eventually(lambda: failing.renewals > 5)

    failing.error = None
    keeper.release()
    assert not failures


@pytest.mark.parametrize(
    ("silent_seconds", "checkpoints_ago", "is_doubtful"),
    [
        (SURE_SECONDS - 1, [0.0], False),
        (STALE_SECONDS, [], False),
        (STALE_SECONDS, [STALE_SECONDS, STALE_SECONDS - SURE_SECONDS + 1], False),
        (STALE_SECONDS, [100.0, 0.0], True),
    ],
)
def test_a_checkpoint_long_after_the_last_heartbeat_shows_who_is_out_of_reach(
    silent_seconds: float, checkpoints_ago: list[float], *, is_doubtful: bool
) -> None:
    checkpoints = [1_000.0 - ago for ago in checkpoints_ago]

    assert may_be_lost(silent_seconds, checkpoints, now=1_000.0) == is_doubtful
