"""Whatever bytes come as a record or as an order's body: what is around them is sent (promise 1).

The stream is shared: somebody may put anything on it. Such a record ends as a dead letter that both
ledgers can keep, or as a blocker that the status names; it never ends or holds up its shard
unnoticed.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import boto3
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from consumer.delivery.entries import StreamPosition, StreamRecord
from ledger.dynamodb.ledger import DynamoLedger
from ledger.pace import steps
from ledger.sending_status import SendingState, sending_status
from ledger.uploads.dead_letter import UNREADABLE, DeadLetter
from orders.envelope import (
    HEADER,
    EndMarker,
    OrderEnvelope,
    UnknownVersion,
    Unreadable,
    decode,
    encode_order,
)
from orders.upload import idempotency_key, partition_key
from sandbox.judge.observations import ExpectedOrder, Observed, Request, numbers_of_account
from tests import promises
from tests.support.ledger_table import create_ledger_table
from tests.support.simulated import UPLOAD, World

ORDERS = 6
SHAPES = {
    "arrays nested deeply": b"[" * 100_000,
    "objects nested deeply": b'{"a":' * 50_000,
    "an id that is half a surrogate pair": b'{"order_id":"\\ud800"}',
    "an id of 289 kB": json.dumps({"order_id": "A" * 289_000}).encode(),
    "a megabyte": b"\xf3\x89\x9a\xc2" + b"\x00" * 1_000_000,
    "a number of 5,000 digits": b"9" * 5_000,
    "nearly UTF-16": b"\xff\xfe{",
    "NUL": b"\x00",
}
Data = str | bytes
"""Bytes, or the name of a shape of them."""

envelopes = st.builds(
    lambda version, kind, line, prev, ordinal, body: (
        HEADER.pack(version, kind, line, prev, ordinal) + body
    ),
    st.integers(0, 40),
    st.integers(0, 3),
    *[st.integers(0, 2**32 - 1)] * 3,
    st.binary(max_size=20),
)
json_bodies = st.recursive(
    st.none() | st.text() | st.integers() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("order_id"), inner),
).map(lambda value: json.dumps(value).encode())
anything: st.SearchStrategy[Data] = st.one_of(
    st.sampled_from(sorted(SHAPES)), envelopes, json_bodies, st.binary(max_size=60)
)
keys = st.text() | st.sampled_from([partition_key(UPLOAD, 0), "0/0", "\ud800", "", "k" * 256])
quick = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def dynamo() -> Iterator[DynamoLedger]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_ledger_table(client, "ledger")
        yield DynamoLedger(client, "ledger")


def bytes_of(data: Data) -> bytes:
    return SHAPES[data] if isinstance(data, str) else data


def assert_kept_in_dynamodb(letter: DeadLetter, dynamo: DynamoLedger) -> None:
    only = replace(letter, position=uuid4().hex)  # one table serves every example

    dynamo.put_dead_letter(only)

    assert dynamo.read_dead_letter(only.upload, only.position) == only


def lines_of(world: World) -> dict[str, int]:
    return {f"{UPLOAD}/{line}": line for line in range(1, world.orders + 1)}


def assert_nothing_is_lost(world: World, bodiless: frozenset[int] = frozenset()) -> None:
    """Promise 1; the lines `bodiless` have a body of which this test knows no order id."""
    lines = lines_of(world)
    orders = [
        ExpectedOrder(line, f"o{line}", "", idempotency_key(UPLOAD, line))
        for line in lines.values()
    ]
    requests = [
        Request(
            request.at,
            "PUT",
            f"o{lines[request.name]}" if lines[request.name] in bodiless else request.order_id,
            200 if request.was_accepted else 422,
            idempotency_key(UPLOAD, lines[request.name]),
            "",
        )
        for request in world.requests
    ]
    promises.nothing_is_lost(Observed(orders, requests, [numbers_of_account(world.account)]))


@quick
@given(foreign=st.lists(st.tuples(st.integers(0, ORDERS), keys, anything), max_size=4))
@example(foreign=[(place, "some-key", name) for place, name in enumerate(sorted(SHAPES)[:4])])
@example(foreign=[(place, "some-key", name) for place, name in enumerate(sorted(SHAPES)[4:])])
@example(foreign=[(1, partition_key(UPLOAD, 0), b"\x03" + bytes(20))])
def test_any_bytes_as_a_record_hold_up_no_order_or_block_sending_by_name(
    foreign: list[tuple[int, str, Data]], dynamo: DynamoLedger
) -> None:
    put: list[Unreadable | UnknownVersion] = []

    def tamper(record: StreamRecord) -> list[StreamRecord]:
        records = [record]
        for place, key, named in foreign:
            data = bytes_of(named)
            item = decode(key, data)
            if isinstance(item, OrderEnvelope | EndMarker):
                continue  # a forged envelope is no foreign record
            if place == int(record.position.sequence):
                put.append(item)
                records.insert(-1, StreamRecord(StreamPosition("x", 0), item, data))
        return records

    world = World(orders=ORDERS, rate="10/s", tamper=tamper)
    world.run(30.0)

    letters = list(world.ledger.dead_letters(UNREADABLE, limit=100))
    for letter in letters:
        assert_kept_in_dynamodb(letter, dynamo)
    assert_nothing_is_lost(world)
    if any(isinstance(item, UnknownVersion) for item in put):
        world.change_pace(steps.resume)
        world.run(2.0)
        sending = sending_status(world.pace, world.timeline.now())
        assert (sending.state, sending.cause) == (SendingState.BLOCKED, "later release")
        return
    assert world.accepted() == [f"o{line}" for line in range(1, ORDERS + 1)]
    assert len(letters) == len(put)
    assert not world.pace.blockers
    assert not world.account.upload.listed_open


@quick
@given(line=st.integers(1, ORDERS), body=anything.filter(bool))
@example(line=1, body="arrays nested deeply")
@example(line=3, body="an id that is half a surrogate pair")
@example(line=ORDERS, body="a megabyte")
@example(line=3, body="an id of 289 kB")
def test_any_bytes_as_the_body_of_an_order_hold_up_no_other_order(
    line: int, body: Data, dynamo: DynamoLedger
) -> None:
    def tamper(record: StreamRecord) -> list[StreamRecord]:
        item = record.item
        if not isinstance(item, OrderEnvelope) or item.line != line:
            return [record]
        data = encode_order(item.line, item.prev, item.ordinal, bytes_of(body))
        return [StreamRecord(record.position, decode(partition_key(UPLOAD, 0), data), data)]

    world = World(orders=ORDERS, rate="10/s", tamper=tamper)
    world.run_to_end(limit_seconds=60.0)

    assert_nothing_is_lost(world, bodiless=frozenset({line}))
    others = [f"{UPLOAD}/{other}" for other in range(1, ORDERS + 1) if other != line]
    assert [request.name for request in world.requests if request.name in others] == others
    for letter in world.ledger.dead_letters(UPLOAD, limit=100):
        assert letter.line == line
        assert_kept_in_dynamodb(letter, dynamo)
