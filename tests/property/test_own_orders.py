"""Whatever an order is: lines keep their numbers and bytes, and ids arrive as they stand there."""

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ledger.uploads.upload import LaneTail
from orders.envelope import OrderEnvelope, decode, encode_order
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.order import Order, looks_unusual
from orders.order_mapping import OrderMapping, rules_of_mapping
from orders.order_rules import ORDINARY, OrderRules
from orders.own_model import rules_of_model
from orders.parsed_lines import FilePosition, ParsedLines
from orders.upload import UploadId, partition_key
from producer_lambda.packing import Packing
from tests.support.examples import examples
from tests.support.producer_world import consume, order_line

UPLOAD = UploadId("0123456789abcdef0123")
KEY = partition_key(UPLOAD, 0)
LONGEST_BYTES = 300


class Anything(BaseModel):
    number: object


ANY_MODEL = rules_of_model(Anything, "number")
ORDER_AS_OWN = rules_of_model(Order, "order_id")
MAPPED = rules_of_mapping(
    OrderMapping.model_validate(
        {"id": "number", "fields": {"number": {"type": "integer", "column": "No"}, "n": "any"}}
    )
)
IDS = st.one_of(st.integers(), st.text(max_size=5), st.sampled_from(["A-1", "ünï", ".", "a b"]))
PIECES = st.one_of(
    st.builds(lambda number, n: json.dumps({"number": number, "n": n}).encode(), IDS, IDS),
    st.sampled_from(
        [
            order_line(1),
            order_line(2, order_id="ünï", placed_at="2026-03-01T09:30:00Z"),
            order_line(3, quantity=0),
            order_line(4, pad="x" * LONGEST_BYTES),
            b"order_id,customer_id,sku,quantity,unit_price,currency,placed_at",
            b'a,c,"s\nt",1,9.99,EUR,',
            b"No,n",
            b"number,n",
            b"7,x",
            b"-7,",
            b'"A-1","x,y"',
            b" \t",
            b"",
            b'{"number":NaN}',
            b'{"number":"a","number":"b"}',
            b"\xff",
        ]
    ),
    st.binary(max_size=10),
)
CONTENTS = st.lists(PIECES, max_size=20).map(b"\n".join)
KEYS = st.sampled_from(["o.jsonl", "o.csv"])
MANY = settings(max_examples=examples(200))


@MANY
@given(content=CONTENTS, rules=st.sampled_from([ANY_MODEL, ORDER_AS_OWN, MAPPED]))
def test_every_line_of_json_keeps_its_number_and_its_bytes(
    content: bytes, rules: OrderRules
) -> None:
    parts, reason = read(content, "o.jsonl", rules)

    lines = content.split(b"\n")
    orders = {n: body for part in parts for n, body in zip(part.numbers, part.bodies, strict=True)}
    invalid = {one.line for part in parts for one in part.invalid}
    blank = sum(part.blank for part in parts)
    if not reason:
        assert len(orders) + len(invalid) + blank == len(lines) - (lines[-1] == b"")
    assert not orders.keys() & invalid
    for number, body in orders.items():
        line = lines[number - 1].removesuffix(b"\r")
        assert body == (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


@MANY
@given(content=CONTENTS, key=KEYS)
def test_the_ordinary_order_as_a_model_of_ones_own_is_read_the_same(
    content: bytes, key: str
) -> None:
    assume(not looks_unusual(content))

    parts, reason = read(content, key, ORDER_AS_OWN)
    ordinary_parts, ordinary_reason = read(content, key, ORDINARY)

    assert reason == ordinary_reason
    assert flat(parts) == flat(ordinary_parts)


@MANY
@given(content=CONTENTS, key=KEYS, rules=st.sampled_from([ANY_MODEL, MAPPED]))
def test_an_id_arrives_as_it_stands_in_the_body(
    content: bytes, key: str, rules: OrderRules
) -> None:
    parts, _ = read(content, key, rules)
    packing = Packing(UPLOAD, (LaneTail(), LaneTail()), aggregate_bytes=1_000)
    records = [record for part in parts for record in packing.add(part)] + packing.end()

    seen = consume(records)

    arrived = {one.line: one for lane in seen.orders.values() for one in lane}
    assert len(arrived) == sum(len(part.bodies) for part in parts)
    for one in arrived.values():
        assert one.order_id == str(json.loads(one.body)["number"])
    lanes = {(one.order_id, one.lane) for one in arrived.values()}
    assert len(lanes) == len({one.order_id for one in arrived.values()})


@given(order_id=st.text(min_size=1, max_size=128), body=st.binary(min_size=1))
def test_any_id_and_body_round_trip(order_id: str, body: bytes) -> None:
    assume(order_id.isprintable())

    content = encode_order(9, 7, 5, body, order_id)

    assert decode(KEY, content) == OrderEnvelope(UPLOAD, 0, 9, 7, 5, body, order_id)


def read(content: bytes, key: str, rules: OrderRules) -> tuple[list[ParsedLines], str]:
    parts: list[ParsedLines] = []
    reading = parse_file(
        lambda offset: (content[at : at + 50] for at in range(offset, len(content), 50)),
        format_of(key),
        FilePosition(),
        ReadingLimits(LONGEST_BYTES, rules=rules),
    )
    try:
        for part in reading:
            parts.append(part)  # noqa: PERF402 - what came before an error counts
    except SourceUnreadable as error:
        return parts, str(error)
    return parts, ""


def flat(parts: list[ParsedLines]) -> tuple[object, ...]:
    orders = [
        order
        for part in parts
        for order in zip(part.numbers, part.order_ids, part.bodies, strict=True)
    ]
    return orders, [one for part in parts for one in part.invalid], sum(p.blank for p in parts)
