"""Are orders that are sent together sent once each, and in the same requests again?"""

from dataclasses import replace

import pytest

from consumer.delivery.attempts import Answered, Conflict, Throttled, Unavailable
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamRecord
from ledger.pace import steps
from ledger.uploads.upload import UploadState
from orders.envelope import EndMarker, OrderEnvelope
from orders.upload import batch_idempotency_key, idempotency_key
from tests.support.batch_api import BatchApi, down, refused
from tests.support.simulated import SHARD, START, UPLOAD, World


def world_of(
    orders: int, api: BatchApi, *, batch_orders: int = 100, window: int = 64, **settings: object
) -> World:
    """An upload that is sent in batches."""
    delivery = DeliverySettings(SHARD, "token-1", window, batch_orders=batch_orders)
    world = World(orders, settings=delivery, **settings)  # type: ignore[arg-type]
    world.simulation.api = api
    return world


def lines_of(api: BatchApi) -> list[tuple[int, int]]:
    """First and last line of each request."""
    return [(batch.lines[0], batch.lines[-1]) for batch in api.batches]


def test_each_turn_carries_a_hundred_orders_and_the_last_one_what_is_left() -> None:
    api = BatchApi()
    world = world_of(250, api)

    world.run_to_end()

    assert lines_of(api) == [(1, 100), (101, 200), (201, 250)]
    assert [batch.at - api.batches[0].at for batch in api.batches] == [0.0, 1.0, 2.0]
    assert world.account.tally.accepted == 250
    assert world.account.upload.state is UploadState.DONE


def test_a_batch_has_a_key_of_its_own_and_an_order_that_is_sent_alone_its_usual_one() -> None:
    api = BatchApi()
    world = world_of(3, api, batch_orders=2)

    world.run_to_end()

    keys = [batch.key for batch in api.batches]
    assert keys == [batch_idempotency_key(UPLOAD, (1, 2)), idempotency_key(UPLOAD, 3)]


def test_three_bad_orders_among_a_thousand_become_dead_letters_and_nothing_else_does() -> None:
    api = BatchApi(bad={"o5": refused(), "o117": refused(), "o118": refused()})
    world = world_of(1_000, api)

    world.run_to_end()

    letters = list(world.ledger.dead_letters(UPLOAD, limit=10))
    assert [letter.line for letter in letters] == [5, 117, 118]
    assert {letter.reason for letter in letters} == {"the API answered 422"}
    assert world.account.tally.accepted == 997
    assert set(api.taken.values()) == {1}
    assert len(api.batches) <= 10 + 3 * 15


def test_orders_of_ones_own_are_sent_together_under_the_ids_that_their_envelopes_carry() -> None:
    def tamper(record: StreamRecord) -> list[StreamRecord]:
        item = record.item
        if isinstance(item, OrderEnvelope):
            item = replace(item, order_id=f"own-{item.line}", body=b"{}")
        return [replace(record, item=item)]

    api = BatchApi(bad={"own-5": refused()}, answers_for_each=True)
    world = world_of(20, api, batch_orders=10, tamper=tamper)

    world.run_to_end()

    assert lines_of(api) == [(1, 10), (11, 20)]
    (letter,) = world.ledger.dead_letters(UPLOAD, limit=10)
    assert (letter.line, letter.order_id) == (5, "own-5")
    assert world.account.tally.accepted == 19


def test_an_answer_for_each_order_finds_the_bad_ones_at_once() -> None:
    api = BatchApi(bad={"o5": refused(), "o117": refused()}, answers_for_each=True)
    world = world_of(200, api)

    world.run_to_end()

    assert lines_of(api) == [(1, 100), (101, 200)]
    assert [letter.line for letter in world.ledger.dead_letters(UPLOAD, limit=10)] == [5, 117]
    assert world.account.tally.accepted == 198


def test_orders_without_a_usable_answer_are_sent_again_together_and_no_others() -> None:
    broken = Unavailable(503, "the API answered 503 for it", may_have_arrived=True)
    api = BatchApi(bad={"o5": broken, "o70": broken}, answers_for_each=True)
    world = world_of(100, api)

    world.timeline.run(lambda: len(api.batches) == 1, until=START + 10)
    api.bad.clear()
    world.run_to_end()

    assert [batch.lines for batch in api.batches][1:] == [(5, 70)]
    assert set(api.taken.values()) == {1}
    assert not world.pace.hold


def test_a_batch_whose_orders_all_got_no_usable_answer_holds_sending() -> None:
    api = BatchApi(answers_by=lambda at: down() if at < START + 20 else None)
    world = world_of(300, api)

    world.run(10.0)
    hold = world.pace.hold
    world.run_to_end()

    assert hold is not None
    assert "503 (order 0123456789abcdef0123/" in hold.why
    assert set(api.taken.values()) == {1}


def test_a_429_holds_the_batch_and_takes_nothing_from_it() -> None:
    api = BatchApi(answers_by=lambda at: Throttled(5.0, "429") if at < START + 1 else None)
    world = world_of(100, api)

    world.run_to_end()

    assert lines_of(api) == [(1, 100), (1, 100)]
    assert api.batches[1].at - api.batches[0].at > 4.9


@pytest.mark.parametrize("order", [1, 7, 50, 90])
@pytest.mark.parametrize("orders", [100, 400])
def test_an_order_that_fails_alone_is_found_and_refused(order: int, orders: int) -> None:
    api = BatchApi(bad={f"o{order}": down()})
    world = world_of(orders, api, rate="5/s")

    world.run_to_end(limit_seconds=3_600.0)

    (letter,) = world.ledger.dead_letters(UPLOAD, limit=10)
    assert (letter.line, letter.reason) == (order, "failed alone: the API answered 503")
    assert world.account.tally.accepted == orders - 1


def test_a_409_for_several_orders_is_never_believed_of_all_of_them() -> None:
    seen: list[int] = []

    def knows_some(_at: float) -> Conflict | None:
        seen.append(1)
        return Conflict(409, "I have one of them") if len(seen) == 1 else None

    api = BatchApi(answers_by=knows_some)
    world = world_of(8, api)

    world.run_to_end()

    assert set(api.taken) == set(range(1, 9))


def test_two_orders_with_one_id_never_stand_in_one_request() -> None:
    api = BatchApi()
    world = world_of(10, api, order_id=lambda line: "twin" if line in {3, 4, 9} else f"o{line}")

    world.run_to_end()

    assert lines_of(api) == [(1, 3), (4, 8), (9, 10)]


def test_a_restart_makes_the_same_requests_with_the_same_keys() -> None:
    api = BatchApi(bad={"o30": refused()})
    world = world_of(200, api)

    for number in range(12):
        known = len(api.batches)
        world.timeline.run(lambda known=known: len(api.batches) > known, until=START + 1_000)  # type: ignore[misc]
        world.crash(token=f"token-{number + 2}")
    world.run_to_end()

    assert api.repeats_have_one_key()
    assert world.account.tally.accepted == 199
    assert world.account.tally.refused == 1


def test_a_batch_that_gets_no_more_orders_is_sent_after_a_while() -> None:
    def without_end(record: StreamRecord) -> list[StreamRecord]:
        return [] if isinstance(record.item, EndMarker) else [record]

    api = BatchApi()
    world = world_of(30, api, tamper=without_end)

    world.run(10.0)

    assert lines_of(api) == [(1, 30)]
    assert 2.0 <= api.batches[0].at - START <= 3.1


def test_ids_that_the_envelopes_carry_are_those_of_the_batch() -> None:
    def carrying(record: StreamRecord) -> list[StreamRecord]:
        item = record.item
        if isinstance(item, OrderEnvelope):
            item = replace(item, body=b'{"no": 1}', order_id=f"mine-{item.line // 3}")
        return [replace(record, item=item)]

    api = BatchApi()
    world = world_of(4, api, tamper=carrying)

    world.run_to_end()

    assert [batch.order_ids for batch in api.batches] == [
        ("mine-0",),
        ("mine-0", "mine-1"),
        ("mine-1",),
    ]


def test_an_order_without_an_id_is_taken_out_of_its_batch() -> None:
    def spoiled(record: StreamRecord) -> list[StreamRecord]:
        item = record.item
        if isinstance(item, OrderEnvelope) and item.line == 2:
            item = replace(item, body=b"no JSON")
        return [replace(record, item=item)]

    api = BatchApi()
    world = world_of(4, api, tamper=spoiled)

    world.run_to_end()

    (letter,) = world.ledger.dead_letters(UPLOAD, limit=10)
    assert (letter.line, letter.reason) == (2, "the order's body has no readable order_id")
    assert [batch.lines for batch in api.batches] == [(1, 3, 4)]


def test_a_cancelled_upload_sends_no_further_batch() -> None:
    api = BatchApi()
    world = world_of(500, api)
    world.timeline.run(lambda: len(api.batches) == 2, until=START + 60)

    world.ledger.cancel(UPLOAD, reason="wrong file", now=world.timeline.now())
    world.run_to_end()

    assert len(api.batches) <= 3
    assert world.account.tally.cancelled == 500 - world.account.tally.accepted
    assert world.account.tally.accepted == 100 * len(api.batches)


def test_a_batch_that_ended_early_is_the_same_one_after_a_restart() -> None:
    records: list[StreamRecord] = []

    def only_thirty(record: StreamRecord) -> list[StreamRecord]:
        records.append(record)
        return [record] if len(records) <= 30 else []

    api = BatchApi()
    world = world_of(100, api, tamper=only_thirty)
    world.timeline.run(lambda: len(api.batches) == 1, until=START + 60)
    world.crash(token="token-2", after_seconds=6.0)
    for record in records[30:]:
        world.stream.put(record.item)

    world.run_to_end()
    world.run(2.0)

    assert lines_of(api) == [(1, 30), (1, 30), (31, 100)]
    assert api.batches[0].key == api.batches[1].key
    assert not world.pace.batch_ends


def test_orders_that_are_set_aside_are_taken_out_of_their_batch() -> None:
    api = BatchApi(answers_by=lambda at: down() if at < START + 5 else None)
    world = world_of(10, api)

    world.run(2.0)
    world.change_pace(lambda pace: steps.set_aside(pace, f"{UPLOAD}/4", "the shop said so"))
    world.run_to_end()

    (letter,) = world.ledger.dead_letters(UPLOAD, limit=10)
    assert (letter.line, letter.reason) == (4, "set aside: the shop said so")
    assert world.account.tally.accepted == 9
    assert 4 not in api.taken


def test_a_mixed_answer_is_in_the_ledger_before_the_rest_is_sent() -> None:
    broken = Unavailable(503, "the API answered 503 for it", may_have_arrived=True)
    api = BatchApi(bad={"o1": broken}, answers_for_each=True)
    settled: list[int] = []

    def look(_at: float) -> Answered | None:
        settled.append(world.account.tally.accepted)
        return None

    api.answers_by = look
    world = world_of(50, api, rate="none")

    world.timeline.run(lambda: len(api.batches) == 3, until=START + 60)

    assert settled[:2] == [0, 49]
