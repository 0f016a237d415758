"""Keeping fresh what expires: fetched ahead, used for as long as it is valid."""

import threading

import pytest

from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.kept_fresh import LAST_RETRY_SECONDS, Fetched, KeptFresh


class Issuer:
    """Gives "one", "two" and so on, unless it is down; a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.names = iter(["one", "two", "three"])
        self.is_down = False

    def fetch(self) -> Fetched[str]:
        if self.is_down:
            raise CredentialUnreadable("The issuer is down.")
        return Fetched(next(self.names), renew_seconds=80.0, valid_seconds=100.0)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def kept(issuer: Issuer) -> KeptFresh[str]:
    return KeptFresh(issuer.fetch, source="The issuer", clock=lambda: issuer.now)


def test_the_next_one_is_due_ahead_of_the_expiry(kept: KeptFresh[str]) -> None:
    assert kept.renew() == 80.0
    assert kept.value(seconds=0.0) == "one"


def test_an_outage_costs_nothing_while_the_old_one_is_valid(
    kept: KeptFresh[str], issuer: Issuer
) -> None:
    kept.renew()
    issuer.now += 80.0
    issuer.is_down = True
    retries = [kept.renew() for _ in range(7)]

    assert retries == [1.0, 2.0, 4.0, 8.0, 16.0, LAST_RETRY_SECONDS, LAST_RETRY_SECONDS]
    issuer.now += 19.9
    assert kept.value(seconds=0.0) == "one"


def test_an_expired_one_is_not_used_and_the_reason_is_said_at_once(
    kept: KeptFresh[str], issuer: Issuer
) -> None:
    kept.renew()
    issuer.now += 100.0
    issuer.is_down = True
    kept.renew()

    with pytest.raises(CredentialUnreadable, match="The issuer is down"):
        kept.value(seconds=60.0)


def test_it_heals_once_the_issuer_is_back(kept: KeptFresh[str], issuer: Issuer) -> None:
    issuer.is_down = True
    kept.renew()
    issuer.is_down = False
    kept.renew()

    assert kept.value(seconds=0.0) == "one"


def test_without_any_the_wait_is_bounded(kept: KeptFresh[str]) -> None:
    with pytest.raises(CredentialUnreadable, match="The issuer did not answer in time"):
        kept.value(seconds=0.0)


def test_a_closed_one_fetches_no_more(issuer: Issuer) -> None:
    kept = KeptFresh(issuer.fetch, source="The issuer", clock=lambda: issuer.now)
    before = threading.enumerate()
    kept.start()
    (thread,) = set(threading.enumerate()) - set(before)
    kept.value(seconds=10.0)

    kept.close()

    thread.join(10.0)
    assert not thread.is_alive()
