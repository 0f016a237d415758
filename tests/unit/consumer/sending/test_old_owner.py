"""Does a process stop sending that has lost its daemon or its shard?"""

from collections.abc import Callable

import pytest

from consumer.sending.leased_shard import OwnershipLost
from tests.support.eventually import LIMIT_SECONDS, eventually
from tests.support.shard_at_work import ShardAtWork, begun, in_time

Manage = Callable[[ShardAtWork], ShardAtWork]
pytestmark = pytest.mark.usefixtures("short_rests")


@pytest.mark.parametrize("rate", ["50/s", "none"])
def test_without_its_daemon_no_further_attempt_starts(managed: Manage, rate: str) -> None:
    work = managed(ShardAtWork(orders=40, rate=rate, window_max=2))
    work.api.gate.clear()
    work.begin()
    feeding = begun(work.feed)
    eventually(lambda: len(work.api.received) == 2)

    work.is_orphan = True
    work.api.gate.set()

    with pytest.raises(OwnershipLost):
        feeding.result(LIMIT_SECONDS)
    with pytest.raises(OwnershipLost):
        work.drain()
    eventually(lambda: work.delivery.dispatcher.is_stopping)
    in_time(work.shard.threads.close)
    assert sorted(work.api.received) == ["o1", "o2"]


@pytest.mark.parametrize("rate", ["50/s", "none"])
def test_a_superseded_process_sends_nothing_after_what_was_on_its_way(
    managed: Manage, rate: str
) -> None:
    work = managed(ShardAtWork(orders=40, rate=rate, window_max=2))
    work.api.gate.clear()
    work.begin()
    feeding = begun(work.feed)
    eventually(lambda: len(work.api.received) == 2)

    work.take_over()
    work.api.gate.set()

    with pytest.raises(OwnershipLost):
        feeding.result(LIMIT_SECONDS)
    with pytest.raises(OwnershipLost):
        work.drain()
    eventually(lambda: work.account.tally.accepted == 2)
    in_time(work.shard.threads.close)
    assert sorted(work.api.received) == ["o1", "o2"]


def test_a_process_that_begins_owns_the_shard_under_its_own_token(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=0))

    work.begin()

    settings = work.delivery.settings
    assert dict(work.ledger.read_pace().owners) == {settings.shard: settings.token}


def test_a_process_that_looks_for_a_missing_row_stops_when_it_is_superseded(
    managed: Manage,
) -> None:
    work = managed(ShardAtWork(has_row=False))
    work.begin()
    feeding = begun(work.feed)
    eventually(lambda: bool(work.ledger.read_pace().blockers))

    work.take_over()

    with pytest.raises(OwnershipLost):
        feeding.result(LIMIT_SECONDS)


def test_a_process_whose_daemon_goes_while_the_ledger_fails_does_not_go_on_trying(
    managed: Manage,
) -> None:
    work = managed(ShardAtWork())
    work.begin()
    work.fault = lambda name: work.refused(name, "read_lane")
    feeding = begun(work.feed)
    eventually(lambda: "read a lane" in work.failed_calls())

    work.is_orphan = True

    with pytest.raises(OwnershipLost):
        feeding.result(LIMIT_SECONDS)
