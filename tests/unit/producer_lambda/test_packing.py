from ledger.uploads.upload import LaneTail
from orders.aggregate import Aggregate
from orders.parsed_lines import FilePosition, ParsedLines
from orders.upload import UploadId, lane_number_of
from producer_lambda.packing import PACKED_BYTES_MAX, Packing
from tests.support.producer_world import consume

UPLOAD = UploadId("0123456789abcdef0123")


def parsed(*lines: int) -> ParsedLines:
    ids = [f"order-{line % 5}" for line in lines]
    return ParsedLines(lines, ids, [b"body %d" % line for line in lines], (), 0, FilePosition())


def pack(packing: Packing, *parts: ParsedLines) -> list[Aggregate]:
    full = [record for one in parts for record in packing.add(one)]
    return full + packing.end()


def test_one_lane_holds_every_order_in_file_order() -> None:
    packing = Packing(UPLOAD, [LaneTail()], aggregate_bytes=1_000)

    seen = consume(pack(packing, parsed(1, 2), parsed(4, 7)))

    assert list(seen.bodies) == [1, 2, 4, 7]
    assert packing.orders == 4


def test_orders_of_one_id_share_a_lane_and_keep_their_order() -> None:
    packing = Packing(UPLOAD, [LaneTail()] * 3, aggregate_bytes=200)
    lines = range(1, 100)

    seen = consume(pack(packing, parsed(*lines)))

    assert sorted(seen.bodies) == list(lines)
    for (_, lane), envelopes in seen.orders.items():
        assert {lane_number_of(f"order-{one.line % 5}", 3) for one in envelopes} <= {lane}


def test_lines_that_a_lane_already_has_are_skipped() -> None:
    lane = lane_number_of("order-1", 2)
    tails = [LaneTail(6, 2) if n == lane else LaneTail() for n in range(2)]
    packing = Packing(UPLOAD, tails, aggregate_bytes=1_000)

    packing.add(parsed(1, 6, 11))

    assert packing.last_lines[lane] == 11
    assert packing.orders == 3


def test_one_lane_skips_what_it_already_has() -> None:
    packing = Packing(UPLOAD, [LaneTail(3, 2)], aggregate_bytes=1_000)

    packing.add(parsed(1, 3))
    packing.add(parsed(3, 5, 6))

    assert packing.last_lines == (6,)
    assert packing.orders == 4


def test_many_lanes_together_buffer_no_more_than_memory_allows() -> None:
    lanes = 400
    packing = Packing(UPLOAD, [LaneTail()] * lanes, aggregate_bytes=1_000_000)
    body = b"x" * 10_000
    ids = [f"order-{n}" for n in range(4_000)]

    full = packing.add(ParsedLines(range(1, 4_001), ids, [body] * 4_000, (), 0, FilePosition()))

    held_back = 4_000 * len(body) - sum(len(record.payload) for record in full)
    assert held_back <= PACKED_BYTES_MAX
