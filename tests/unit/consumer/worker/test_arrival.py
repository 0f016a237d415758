"""How a worker comes to its number: patiently, and not for ever without AWS."""

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from consumer.worker import arrival
from consumer.worker.arrival import wait_for_number
from consumer.worker.claiming import Applicant
from consumer.worker.proc import this_place
from consumer.worker.signals import Signals
from ledger.claim import Claim
from ledger.errors import LedgerUnreachable
from ledger.memory.ledger import MemoryLedger

APPLICANT = Applicant("orders", 1, this_place())


class SometimesAway(MemoryLedger):
    """A ledger that is out of reach for the first calls."""

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away

    def claims(self, worker_id: str) -> Iterable[Claim]:
        if self.away:
            self.away -= 1
            raise LedgerUnreachable("no answer from http://aws", hint="check the network")
        return super().claims(worker_id)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "BUSY_SECONDS", 0.001)


@pytest.fixture
def signals() -> Iterator[Signals]:
    with Signals() as heard:
        yield heard


def test_a_ledger_that_comes_back_in_time_is_waited_for(signals: Signals) -> None:
    told: list[str] = []

    claim = wait_for_number(SometimesAway(5), APPLICANT, signals, tell=told.append)

    assert claim is not None
    assert claim.number == 1
    assert told == ["no answer from http://aws"] * 5


def test_a_ledger_that_stays_away_is_given_up(
    signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "OUT_OF_REACH_SECONDS", 0.01)

    with pytest.raises(LedgerUnreachable, match="http://aws"):
        wait_for_number(SometimesAway(1_000), APPLICANT, signals, tell=lambda _: None)


def test_a_number_in_use_is_waited_for_and_taken_when_it_is_free(signals: Signals) -> None:
    ledger = MemoryLedger()
    first = wait_for_number(ledger, APPLICANT, signals, tell=lambda _: None)
    assert first
    told: list[str] = []

    def release_at_the_third(waits_for: str) -> None:
        told.append(waits_for)
        if len(told) == 3:
            ledger.release_claim(first)

    second = wait_for_number(ledger, APPLICANT, signals, tell=release_at_the_third)

    assert second
    assert second.token != first.token
    assert told[0].startswith("waiting for its only number: number 1 is held by process")


def test_a_signal_ends_the_wait(signals: Signals) -> None:
    ledger = MemoryLedger()
    claim = wait_for_number(ledger, APPLICANT, signals, tell=lambda _: None)
    assert claim
    ledger.release_claim(claim)
    ledger.take_claim(replace(claim, host="elsewhere", heartbeat_at=1e12), instead_of=None)

    got = wait_for_number(
        ledger, APPLICANT, signals, tell=lambda _: os.kill(os.getpid(), signal.SIGTERM)
    )

    assert got is None
    assert signals.stop_asked


def test_signals_are_heard_only_within_their_context() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with Signals() as heard:
        os.kill(os.getpid(), signal.SIGCHLD)
        heard.wait(10.0)
        assert not heard.stop_asked
        os.kill(os.getpid(), signal.SIGINT)
        heard.wait(10.0)
        assert heard.stop_asked

    assert signal.getsignal(signal.SIGTERM) is before
