"""A claim, from the first try to the day somebody else has it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from consumer.worker import claim_keeper
from consumer.worker.claim_keeper import ClaimKeeper, try_to_claim
from consumer.worker.claiming import Applicant, Busy
from consumer.worker.proc import live_process, this_place
from ledger.memory.ledger import MemoryLedger
from ledger.ports.claims import Claim, LiveProcess

APPLICANT = Applicant("orders", 1, this_place())


def wait_for(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.005)


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

    wait_for(lambda: next(iter(ledger.claims("orders"))).daemon == LiveProcess(5, 50))
    wait_for(lambda: next(iter(ledger.claims("orders"))).heartbeat_at > claim.heartbeat_at)
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

    wait_for(lambda: keeper.lost)
    keeper.release()
    assert [claim.token for claim in ledger.claims("orders")] == ["theirs"]
