"""What does a restart, a take-over or a hand in the stream do to the orders?"""

from dataclasses import replace

import pytest

from consumer.delivery.attempts import Accepted, Attempt, Conflict, Refused
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamPosition, StreamRecord
from consumer.delivery.events import OrdersMissing, RepeatsSkipped
from ledger.pace import steps
from ledger.uploads.dead_letter import UNREADABLE
from ledger.uploads.upload import UploadState
from orders.envelope import OrderEnvelope, UnknownVersion, Unreadable
from sandbox.simulation.process import Process
from tests.support.simulated import SHARD, UPLOAD, World


@pytest.mark.parametrize("moment", [10.0, 10.1, 10.149, 10.151, 10.155, 10.5])
def test_a_crash_loses_nothing_and_repeats_at_most_the_order_in_flight(moment: float) -> None:
    world = World(orders=40)
    world.run(moment)

    world.crash(token="token-2")
    world.run_to_end()

    assert set(world.accepted()) == {f"o{line}" for line in range(1, 41)}
    assert world.repeats() <= 1
    assert min(world.gaps()) >= 0.99
    assert world.account.tally.accepted == 40


def test_a_stop_finishes_what_is_on_its_way_and_repeats_nothing() -> None:
    world = World(orders=40)
    world.run(10.05)
    world.process.delivery.stop()
    world.run(2.0)
    assert world.process.delivery.is_quiet

    world.crash(token="token-2")
    world.run_to_end()

    assert world.accepted() == [f"o{line}" for line in range(1, 41)]


def test_an_old_owner_sends_nothing_after_its_current_turn() -> None:
    world = World(orders=100)
    world.run(10.2)
    old = world.process

    new = Process(
        world.simulation, world.stream, DeliverySettings(SHARD, "token-2"), old.checkpoint
    )
    world.process = new
    world.run(1.5)
    assert old.delivery.is_superseded

    world.run_to_end()
    assert world.repeats() <= 1
    assert min(world.gaps()) >= 0.99


def test_a_checkpoint_that_lags_behind_only_costs_skipped_repeats() -> None:
    world = World(orders=40)
    world.run(20.5)

    world.process.checkpoint = StreamPosition("3", 0)
    world.crash(token="token-2")
    world.run_to_end()

    assert world.accepted() == [f"o{line}" for line in range(1, 41)]
    assert sum(1 for e in world.events if isinstance(e, RepeatsSkipped)) > 10


def test_an_order_that_the_api_took_before_a_crash_is_accepted_however_far_back_it_begins() -> None:
    taken: set[str] = set()

    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        is_new = order_id not in taken
        taken.add(order_id)
        return 0.15, Accepted(200) if is_new else Conflict(409, "it is here")

    world = World(
        orders=40, behaviour=behaviour, settings=DeliverySettings(SHARD, "token-1", window_max=4)
    )
    world.run(20.1)

    world.process.checkpoint = StreamPosition("3", 0)
    world.crash(token="token-2")
    world.run_to_end()

    assert world.account.tally.accepted == 40


def test_the_end_of_an_upload_that_comes_again_is_passed_and_holds_nothing_up() -> None:
    world = World(orders=5)
    world.run_to_end()

    world.process.checkpoint = StreamPosition("2", 0)
    world.crash(token="token-2")
    world.run(10.0)

    assert world.process.checkpoint == StreamPosition("5", 0)
    assert world.process.delivery.is_quiet
    assert world.accepted() == [f"o{line}" for line in range(1, 6)]


def test_records_that_come_twice_are_sent_once() -> None:
    world = World(orders=30, tamper=lambda record: [record, record])

    world.run_to_end()

    assert world.accepted() == [f"o{line}" for line in range(1, 31)]


def without(*lines: int) -> object:
    def tamper(record: StreamRecord) -> list[StreamRecord]:
        item = record.item
        return [] if isinstance(item, OrderEnvelope) and item.line in lines else [record]

    return tamper


@pytest.mark.parametrize("lines", [(5, 6, 7), (1,), (20,), (1, 20), tuple(range(1, 21))])
def test_orders_that_never_come_are_counted_as_missing(lines: tuple[int, ...]) -> None:
    world = World(orders=20, tamper=without(*lines))  # type: ignore[arg-type]

    world.run_to_end()

    tally = world.account.tally
    assert (tally.accepted, tally.missing) == (20 - len(lines), len(lines))
    assert sum(e.count for e in world.events if isinstance(e, OrdersMissing)) == len(lines)
    assert world.account.waiting == 0
    assert world.account.upload.state is UploadState.DONE_WITH_PROBLEMS


def test_orders_lost_while_the_consumer_was_away_are_found_missing_at_its_start() -> None:
    world = World(orders=30)
    world.run(10.5)
    taken = len(world.requests)

    world.process.checkpoint = StreamPosition(
        "19", 0
    )  # the stream's retention passed over 8 orders
    world.crash(token="token-2")
    world.run_to_end()

    tally = world.account.tally
    assert tally.missing == 20 - taken
    assert tally.accepted == 30 - tally.missing


def test_a_missing_order_that_comes_after_all_is_sent() -> None:
    kept: list[StreamRecord] = []

    def tamper(record: StreamRecord) -> list[StreamRecord]:
        if isinstance(record.item, OrderEnvelope) and record.item.line == 5:
            kept.append(record)
            return []
        if isinstance(record.item, OrderEnvelope) and record.item.line == 15:
            return [record, kept[0], kept[0]]
        return [record]

    world = World(orders=20, tamper=tamper)

    world.run_to_end()

    assert sorted(world.accepted()) == sorted(f"o{line}" for line in range(1, 21))
    assert world.account.tally.missing == 0
    assert world.account.upload.state is UploadState.DONE


def test_a_record_that_is_no_envelope_becomes_a_dead_letter() -> None:
    def tamper(record: StreamRecord) -> list[StreamRecord]:
        junk = replace(record, item=Unreadable("no envelope"), data=b"junk")
        return [junk, record] if record.position.sequence == "3" else [record]

    world = World(orders=10, tamper=tamper)

    world.run_to_end()
    world.run(1.0)

    (letter,) = world.ledger.dead_letters(UNREADABLE, limit=10)
    assert (letter.body, letter.reason) == (b"junk", "no envelope")
    assert world.account.tally.accepted == 10


def test_an_order_is_sent_and_kept_under_the_id_that_its_envelope_carries() -> None:
    def behaviour(order_id: str, at: float) -> tuple[float, Attempt]:
        del at
        return 0.1, Refused(422, "no", "") if order_id == "own-3" else Accepted(200)

    def tamper(record: StreamRecord) -> list[StreamRecord]:
        item = record.item
        if isinstance(item, OrderEnvelope):
            named = replace(item, order_id=f"own-{item.line}", body=b"{}")
            return [replace(record, item=named)]
        return [record]

    world = World(orders=5, behaviour=behaviour, tamper=tamper)
    world.run_to_end()

    assert world.accepted() == ["own-1", "own-2", "own-4", "own-5"]
    (letter,) = world.ledger.dead_letters(UPLOAD, limit=10)
    assert (letter.order_id, letter.body) == ("own-3", b"{}")


def test_an_envelope_of_a_later_release_blocks_the_shard_and_is_not_passed() -> None:
    def tamper(record: StreamRecord) -> list[StreamRecord]:
        later = replace(record, item=UnknownVersion(2))
        return [later] if record.position.sequence == "5" else [record]

    world = World(orders=10, tamper=tamper)

    world.run(60.0)

    assert world.pace.blockers_of(SHARD)
    assert world.account.tally.refused == 0
    assert world.process.checkpoint is None or int(world.process.checkpoint.sequence) < 5


def test_resuming_sends_nothing_past_an_envelope_of_a_later_release() -> None:
    def tamper(record: StreamRecord) -> list[StreamRecord]:
        later = replace(record, item=UnknownVersion(2))
        return [later] if record.position.sequence == "5" else [record]

    world = World(orders=10, tamper=tamper)
    world.run(20.0)

    world.change_pace(steps.resume)
    world.run(20.0)

    assert world.accepted() == [f"o{line}" for line in range(1, 6)]
    assert world.pace.blockers_of(SHARD)


def test_a_new_release_lifts_the_blocker_of_its_shard() -> None:
    world = World(orders=10)
    world.run(3.5)
    records = [world.stream.record(i) for i in range(world.stream.length)]
    unknown = replace(records[5], item=UnknownVersion(2))
    with_unknown = replace(world.stream, record=lambda i: unknown if i == 5 else records[i])
    whole, world.stream = world.stream, with_unknown
    world.crash(token="old-release")
    world.run(60.0)
    assert world.pace.blockers_of(SHARD)

    world.stream = whole
    world.crash(token="new-release")
    world.run_to_end(limit_seconds=60.0)

    assert world.account.tally.accepted == 10


@pytest.mark.parametrize("moment", [3.5, 4.5, 4.9, 5.3])
def test_a_stop_near_the_end_of_an_upload_ends_without_the_orders_that_still_wait(
    moment: float,
) -> None:
    world = World(orders=6)
    world.run(moment)

    world.process.stop()
    world.run(5.0)

    assert world.process.delivery.is_quiet
    assert world.account.tally.accepted == len(world.requests)
