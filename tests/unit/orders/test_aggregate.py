import base64
import json
from hashlib import md5
from pathlib import Path

from aws_kinesis_agg.deaggregator import deaggregate_records

from orders.aggregate import ENVELOPE_BYTES, MAGIC, AggregateWriter
from orders.envelope import encode_end, encode_order
from orders.upload import UploadId, lane_hash_key, partition_key
from tests.support.producer_world import taken_apart

GOLDEN = Path(__file__).parents[2] / "golden"
UPLOAD = UploadId("0123456789abcdef0123")
KEY = partition_key(UPLOAD, 3)
HASH_KEY = lane_hash_key(UPLOAD, 3, 4)


def writer(aggregate_bytes: int = 10_000, line: int = 0, ordinal: int = 0) -> AggregateWriter:
    return AggregateWriter(
        KEY, HASH_KEY, line=line, ordinal=ordinal, aggregate_bytes=aggregate_bytes
    )


def test_the_reference_reader_finds_every_order_under_the_lanes_keys() -> None:
    lane = writer()
    assert list(lane.add([2, 5], [b"two", b"x" * 300])) == []
    record = lane.end()

    found = deaggregate_records(
        [
            {
                "eventVersion": "1.0",
                "eventID": "shardId-0:1",
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "sequenceNumber": "1",
                    "approximateArrivalTimestamp": 1.0,
                    "partitionKey": record.partition_key,
                    "data": base64.b64encode(record.payload).decode(),
                },
            }
        ]
    )

    inner = [one["kinesis"] for one in found]
    assert [base64.b64decode(one["data"]) for one in inner] == [
        encode_order(2, 0, 1, b"two"),
        encode_order(5, 2, 2, b"x" * 300),
        encode_end(5, 2),
    ]
    assert {one["partitionKey"] for one in inner} == {KEY}
    assert {one["explicitHashKey"] for one in inner} == {HASH_KEY}


def test_the_bytes_are_those_of_the_golden_file() -> None:
    golden = json.loads((GOLDEN / "aggregate.json").read_text())
    lane = AggregateWriter(
        golden["partition_key"], golden["hash_key"], **golden["after"], aggregate_bytes=10_000
    )

    full = list(lane.add(golden["lines"], [body.encode() for body in golden["bodies"]]))

    assert full == []
    assert lane.end().payload.hex() == golden["hex"]
    assert (KEY[:-1] + "2", lane_hash_key(UPLOAD, 2, 4)) == (
        golden["partition_key"],
        golden["hash_key"],
    )


def test_the_checksum_is_that_of_the_message_between_magic_and_checksum() -> None:
    payload = writer().end().payload

    assert payload[:4] == MAGIC
    assert payload[-16:] == md5(payload[4:-16], usedforsecurity=False).digest()


def test_a_record_never_exceeds_its_size() -> None:
    lane = writer(aggregate_bytes=1_000)

    full = list(lane.add(range(1, 101), [b"x" * 100] * 100))

    assert full
    assert all(len(record.payload) <= 1_000 + 16 for record in full)
    assert all(len(record.payload) > 1_000 - 200 for record in full)


def test_an_order_larger_than_a_record_gets_its_own() -> None:
    lane = writer(aggregate_bytes=1_000)

    full = list(lane.add([1, 2, 3], [b"a", b"x" * 5_000, b"b"]))

    assert [record.orders for record in full] == [1, 1]
    rest = lane.flush()
    assert rest is not None
    assert rest.orders == 1


def test_a_lane_continues_where_it_ended() -> None:
    record = next(iter(writer(line=7, ordinal=4, aggregate_bytes=60).add([9, 11], [b"a", b"b"])))

    assert [content for _, _, content in taken_apart(record.payload)] == [
        encode_order(9, 7, 5, b"a")
    ]
    assert (record.line, record.ordinal) == (9, 5)


def test_an_empty_flush_gives_no_record_and_an_end_always_gives_one() -> None:
    assert writer().flush() is None
    assert [content for _, _, content in taken_apart(writer().end().payload)] == [encode_end(0, 0)]


def test_the_envelope_adds_little_to_an_order() -> None:
    lane = writer(aggregate_bytes=200_000)

    records = list(lane.add(range(1, 10_001), [b"x" * 150] * 10_000))

    orders = sum(record.orders for record in records)
    added = sum(len(record.payload) for record in records) / orders - 150
    assert added < 25 < ENVELOPE_BYTES
