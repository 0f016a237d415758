"""Does every order that is fed go out once, and does the checkpoint follow what is settled?"""

from collections.abc import Callable

import pytest

from consumer.delivery.attempts import Accepted, Attempt, Refused
from consumer.delivery.entries import StreamPosition
from ledger.uploads.lane import Tally
from ledger.uploads.upload import UploadState
from sandbox.simulation.faulty_ledger import LedgerFault
from tests.support.eventually import eventually
from tests.support.shard_at_work import (
    LANE,
    SHARD,
    UPLOAD,
    ShardAtWork,
    begun,
    in_time,
)

Manage = Callable[[ShardAtWork], ShardAtWork]


def refuses_the_second(order_id: str) -> Attempt:
    return Refused(422, "no such sku", "") if order_id == "o2" else Accepted(200)


@pytest.mark.parametrize("rate", ["50/s", "none"])
def test_every_order_that_is_fed_is_sent_once_and_settled(managed: Manage, rate: str) -> None:
    work = managed(ShardAtWork(orders=10, rate=rate))

    work.send_all()

    assert sorted(work.api.received) == sorted(work.order_ids)
    assert work.account.tally == Tally(accepted=10)
    assert work.account.upload.state is UploadState.DONE
    assert not work.failures


@pytest.mark.parametrize("rate", ["50/s", "none"])
def test_with_a_window_of_one_the_orders_go_out_in_file_order(managed: Manage, rate: str) -> None:
    work = managed(ShardAtWork(orders=8, rate=rate, window_max=1))

    work.send_all()

    assert work.api.received == work.order_ids


@pytest.mark.usefixtures("short_rests")
def test_more_orders_than_a_window_go_out_as_there_is_room(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=60, window_max=4))

    work.send_all()

    assert sorted(work.api.received) == sorted(work.order_ids)
    assert work.account.tally.accepted == 60


@pytest.mark.usefixtures("short_rests")
def test_attempts_that_take_longer_than_the_interval_overlap(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=6, rate="50/s"))
    work.api.gate.clear()
    work.begin()

    work.feed()

    eventually(lambda: len(work.api.received) == 6)
    work.api.gate.set()
    work.drain()
    assert work.account.tally.accepted == 6


@pytest.mark.usefixtures("short_rests")
def test_no_checkpoint_passes_an_order_that_the_ledger_does_not_have(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=15, rate="50/s"))

    work.send_all()

    passed = [min(index + 1, work.orders) for index in work.checkpoints]
    assert passed == sorted(passed)
    assert all(mark >= line for mark, line in zip(work.marks, passed, strict=True))


@pytest.mark.usefixtures("short_rests")
def test_while_the_ledger_takes_no_settle_there_is_no_checkpoint(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3))
    work.fault = lambda name: LedgerFault.REFUSED if name == "settle" else LedgerFault.NONE
    work.begin()
    work.feed()
    draining = begun(work.drain)

    eventually(lambda: len(work.api.received) == 3 and "settle" in work.failed_calls())

    assert work.checkpoints == []
    work.fault = lambda _: LedgerFault.NONE
    draining.result()
    work.follow()
    assert work.marks[0] > 0


@pytest.mark.usefixtures("short_rests")
def test_an_order_is_not_settled_before_its_dead_letter_is_kept(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=3, behaviour=refuses_the_second))
    work.fault = lambda name: LedgerFault.REFUSED if name == "put_dead_letter" else LedgerFault.NONE
    work.begin()
    work.feed()
    draining = begun(work.drain)

    eventually(lambda: "settle" in work.failed_calls())

    lane = work.ledger.read_lane(LANE)
    assert lane is not None
    assert not lane.is_settled(2)
    work.fault = lambda _: LedgerFault.NONE
    draining.result()
    (letter,) = work.ledger.dead_letters(UPLOAD, limit=10)
    assert (letter.line, letter.reason) == (2, "no such sku")
    assert work.account.tally == Tally(accepted=2, refused=1)


@pytest.mark.usefixtures("short_rests")
def test_a_checkpoint_that_could_not_be_written_is_tried_again(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=1))
    asked: list[int] = []

    def checkpoint(position: StreamPosition) -> bool:
        asked.append(int(position.sequence))
        return len(asked) > 2

    work.begin()
    work.shard.feed(work.records, checkpoint)
    work.shard.drain(checkpoint)

    def is_written() -> bool:
        work.shard.feed([], checkpoint)
        return work.shard.checkpoint_at is not None

    eventually(is_written)
    assert asked[:3] == sorted(asked[:3])
    assert len(asked) == 3


@pytest.mark.usefixtures("short_rests")
def test_a_checkpoint_that_raises_is_not_swallowed(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=1))
    work.begin()

    def checkpoint(position: StreamPosition) -> bool:
        raise ConnectionError(position.sequence)

    left = [work.records]

    def feed_until_it_raises() -> bool:
        work.shard.feed(left.pop() if left else [], checkpoint)
        return False

    with pytest.raises(ConnectionError):
        eventually(feed_until_it_raises)


@pytest.mark.usefixtures("short_rests")
def test_the_daemons_thread_is_seen_at_work_while_it_waits(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=1))
    work.api.gate.clear()
    work.begin()
    work.feed()
    draining = begun(work.drain)
    seen_at = work.shard.alive_at

    eventually(lambda: work.shard.alive_at > seen_at)

    work.api.gate.set()
    draining.result()


def test_a_shard_that_ended_is_nobodys_any_more(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=2))
    work.send_all()
    assert list(work.ledger.read_pace().owners) == [SHARD]

    work.shard.give_up()

    assert not work.ledger.read_pace().owners


def test_a_ledger_that_is_out_of_reach_does_not_keep_a_shard_from_its_end(managed: Manage) -> None:
    work = managed(ShardAtWork(orders=2))
    work.send_all()
    work.fault = lambda name: work.refused(name, "swap_pace")

    in_time(work.shard.give_up)

    assert "give the shard up" in work.failed_calls()
