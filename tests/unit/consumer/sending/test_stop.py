"""Does a stop finish what is on its way, and nothing else?"""

import threading
from collections.abc import Callable

import pytest

from consumer.delivery.attempts import Unavailable
from tests.support.eventually import LIMIT_SECONDS, eventually
from tests.support.shard_at_work import ShardAtWork, begun, in_time

Manage = Callable[[ShardAtWork], ShardAtWork]
pytestmark = pytest.mark.usefixtures("short_rests")


@pytest.mark.parametrize("rate", ["20/s", "none"])
def test_a_stop_waits_until_the_attempt_on_its_way_is_settled(managed: Manage, rate: str) -> None:
    work = managed(ShardAtWork(orders=40, rate=rate, window_max=2))
    work.api.gate.clear()
    work.begin()
    feeding = begun(work.feed)
    eventually(lambda: bool(work.api.received))

    stopping = begun(work.shard.stop)

    eventually(lambda: work.delivery.dispatcher.is_stopping)
    with work.shard.threads.lock:
        started = work.started
    assert not stopping.done()
    work.api.gate.set()
    stopping.result(LIMIT_SECONDS)
    assert work.account.tally.accepted == started
    in_time(work.shard.threads.close)
    assert len(work.api.received) == started
    work.is_orphan = True
    assert feeding.exception(LIMIT_SECONDS)


def test_a_stop_gives_up_a_turn_that_is_an_hour_away(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=5, rate="1/h"))
    work.begin()
    work.feed()
    eventually(
        lambda: (
            work.account.tally.accepted == 1
            and len(work.delivery.dispatcher.schedule.assigned) == 1
        )
    )

    in_time(work.shard.stop)

    assert work.delivery.is_quiet
    assert work.api.received == ["o1"]


def test_after_a_stop_the_next_owner_believes_only_what_is_not_settled(managed: Manage) -> None:
    failure = Unavailable(503, "the API answered 503", may_have_arrived=True)
    failing = managed(ShardAtWork(orders=5, rate="1/h", behaviour=lambda _: failure))
    settled = managed(ShardAtWork(orders=5, rate="1/h"))
    for work in (failing, settled):
        _stop_before_the_second_turn(work)

    assert list(settled.ledger.read_pace().in_doubt.values()) == [0]
    assert list(failing.ledger.read_pace().in_doubt.values()) == [1]


def _stop_before_the_second_turn(work: ShardAtWork) -> None:
    work.begin()
    work.feed()
    eventually(
        lambda: bool(work.api.received) and len(work.delivery.dispatcher.schedule.assigned) == 1
    )
    in_time(work.shard.stop)


def test_a_stop_of_a_shard_that_has_not_begun_returns_at_once(managed: Manage) -> None:
    work = managed(ShardAtWork())

    in_time(work.shard.stop)

    assert work.shard.delivery is None


@pytest.mark.parametrize("rate", ["1/h", "50/s", "none"])
def test_after_a_close_every_sender_thread_has_ended(managed: Manage, rate: str) -> None:
    work = managed(ShardAtWork(orders=8, rate=rate))
    work.begin()
    work.feed(work.records[:-1])
    eventually(lambda: bool(work.api.received))
    threads = work.shard.threads._threads

    in_time(work.shard.stop)
    in_time(work.shard.threads.close)

    assert threads
    assert not [thread for thread in threads if thread.is_alive()]
    assert not set(threads) & set(threading.enumerate())


def test_a_close_alone_gives_up_a_turn_that_is_an_hour_away(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3, rate="1/h"))
    work.begin()
    work.feed()
    eventually(lambda: work.account.tally.accepted == 1)

    in_time(work.shard.threads.close)

    assert work.api.received == ["o1"]
