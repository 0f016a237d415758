"""Envelopes and aggregates: any order comes back as it was, any bytes at all give a value."""

from hypothesis import given
from hypothesis import strategies as st

from orders.aggregate import Aggregate, AggregateWriter
from orders.envelope import (
    EndMarker,
    OrderEnvelope,
    UnknownVersion,
    Unreadable,
    decode,
    encode_order,
)
from orders.upload import UploadId, lane_hash_key, partition_key
from tests.support.producer_world import consume, taken_apart

UPLOAD = UploadId("0123456789abcdef0123")
KEY = partition_key(UPLOAD, 0)


@given(line=st.integers(2, 2**32 - 1), body=st.binary(min_size=1), data=st.data())
def test_any_order_round_trips(line: int, body: bytes, data: st.DataObject) -> None:
    prev = data.draw(st.integers(1, line - 1))
    ordinal = data.draw(st.integers(2, line))

    decoded = decode(KEY, encode_order(line, prev, ordinal, body))

    assert decoded == OrderEnvelope(UPLOAD, 0, line, prev, ordinal, body)


@given(key=st.one_of(st.just(KEY), st.text()), content=st.binary(max_size=40))
def test_any_record_is_one_of_four_values(key: str, content: bytes) -> None:
    decoded = decode(key, content)

    assert isinstance(decoded, OrderEnvelope | EndMarker | UnknownVersion | Unreadable)


@given(
    bodies=st.lists(st.binary(min_size=1, max_size=400), max_size=60),
    cuts=st.lists(st.integers(1, 20), max_size=10),
    aggregate_bytes=st.integers(100, 3_000),
)
def test_any_orders_come_out_of_their_aggregates_in_order(
    bodies: list[bytes], cuts: list[int], aggregate_bytes: int
) -> None:
    writer = AggregateWriter(KEY, lane_hash_key(UPLOAD, 0, 1), aggregate_bytes=aggregate_bytes)
    numbers = range(1, 2 * len(bodies) + 1, 2)

    records: list[Aggregate] = []
    start = 0
    for cut in [*cuts, len(bodies)]:
        records.extend(writer.add(numbers[start : start + cut], bodies[start : start + cut]))
        start += cut
    records.append(writer.end())

    seen = consume(records)
    assert seen.bodies == dict(zip(numbers, bodies, strict=True))
    assert seen.repeats == 0
    for record in records:
        alone = sum(1 for _ in taken_apart(record.payload)) <= 2
        assert len(record.payload) <= aggregate_bytes + 100 or alone
