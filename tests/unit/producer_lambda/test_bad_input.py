"""docs/bad-input.md: every row of its table is a file here that ends as the row says."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.uploads.settlement import Settlement, Span
from orders.outcome import Outcome
from orders.rate import parse_rate
from producer_lambda.upload_requests import UploadRequest
from tests.support.producer_world import World, consume, order_line

TABLE = Path(__file__).parents[3] / "docs" / "bad-input.md"
LONGEST_BYTES = 262_144

GOOD = order_line(1) + b"\n"
HEADER = b"order_id,customer_id,sku,quantity,unit_price,currency\n"
RECORD = b"A-1,C,S,1,9.99,EUR\n"
PACKED = gzip.compress(GOOD * 3)


@dataclass(frozen=True)
class Row:
    """A row of the table, and the file that it speaks of."""

    held: str
    ended: str
    sentence: str
    content: bytes
    key: str = "orders.jsonl"
    lost: str = ""
    rate: str = "none"


def changed(**fields: object) -> bytes:
    return order_line(2, **fields) + b"\n"


ROWS = [
    Row("nothing", "done", "", b""),
    Row("blank lines only", "done", "", b"\n \t\r\n"),
    Row("a CSV header and no records", "done", "", HEADER, "orders.csv"),
    Row("a byte order mark, CRLF, no final line ending", "done", "",
        b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n") + order_line(2)),
    Row("no line that is an order", "done_with_problems",
        "line 1: Invalid JSON: key must be a string at column 2", b"{x\n"),
    Row("a line that is cut off", "done_with_problems",
        "line 2: Invalid JSON: EOF while parsing an object at column 15",
        GOOD + b'{"order_id":"a"\n' + GOOD),
    Row("a JSON value that is not an object", "done_with_problems",
        "line 2: Input should be an object", GOOD + b"[1]\n"),
    Row("one JSON document spread over many lines", "done_with_problems",
        "line 1: Invalid JSON: EOF while parsing an object at column 1", b"{\n}\n"),
    Row("a JSON array of orders", "unreadable",
        "line 1: it is a JSON array: write one order per line, as jq -c '.[]' does",
        b"\n[" + GOOD + b"]\n"),
    Row("an order without some fields", "done_with_problems",
        "line 2: customer_id: Field required; sku: Field required; and 3 more",
        GOOD + b'{"order_id":"a"}\n'),
    Row("an order id that is `..`", "done_with_problems",
        "line 2: order_id: must be 1 to 128 printable characters, without a space at either end, "
        "and not . or ..", GOOD + changed(order_id="..")),
    Row("a quantity of 1.0", "done_with_problems",
        "line 2: quantity: Input should be a valid integer", GOOD + changed(quantity=1.0)),
    Row("a price of 1e2, or with five decimals", "done_with_problems",
        "line 2: unit_price must be a plain decimal of 0 or more with at most 4 decimals",
        GOOD + changed(unit_price="?").replace(b'"?"', b"1e2")),
    Row("a time without an offset", "done_with_problems",
        "line 2: placed_at: Input should have timezone info",
        GOOD + changed(placed_at="2026-03-01T09:30:00")),
    Row("NaN in a field that is passed through", "done_with_problems",
        "line 2: NaN is not JSON", GOOD + changed(note=float("nan"))),
    Row("bytes that are not UTF-8", "done_with_problems",
        "line 2: Invalid JSON: invalid unicode code point at column 10",
        GOOD + b'{"note":"\xff"}\n'),
    Row("a NUL byte", "done_with_problems",
        "line 2: Invalid JSON: control character (\\u0000-\\u001F) found while parsing a string "
        "at column 10", GOOD + b'{"note":"\0"}\n'),
    Row("a line over 256 KiB, also after decompression", "done_with_problems",
        "line 2: is longer than 262144 bytes", GOOD + changed(pad="x" * LONGEST_BYTES) + GOOD),
    Row("a CSV record with too few fields", "done_with_problems",
        "line 3: has 2 fields where the header has 6", HEADER + RECORD + b"A-1,C\n", "o.csv"),
    Row("a CSV record that is not an order", "done_with_problems",
        "line 3: quantity: Input should be a valid integer",
        HEADER + RECORD + RECORD.replace(b",1,", b",one,"), "o.csv"),
    Row("a CSV quote that is never closed", "done_with_problems",
        "line 2: a quote is never closed", HEADER + b'A-1,"C,S,1,9.99,EUR\n' + RECORD, "o.csv"),
    Row("CSV bytes that are not UTF-8", "done_with_problems", "line 2: is not UTF-8",
        HEADER + b"A-1,\xff,S,1,9.99,EUR\n", "o.csv"),
    Row("a CSV header without some columns", "unreadable",
        "line 1: the header lacks the columns customer_id, sku, quantity, unit_price, currency",
        b"order_id,note\n1,2\n", "o.csv"),
    Row("a CSV header that names a column twice", "unreadable",
        "line 1: the header names 'sku' more than once",
        HEADER.replace(b"\n", b",sku\n") + RECORD, "o.csv"),
    Row("a name that ends in .gz, but no gzip data", "unreadable", "line 1: is not gzip", GOOD,
        "orders.jsonl.gz"),
    Row("gzip that is cut off", "unreadable",
        "line 4: the gzip is cut off; orders before it are sent", PACKED[:-4], "orders.jsonl.gz"),
    Row("gzip followed by something else", "unreadable",
        "line 4: the gzip is followed by other bytes; orders before it are sent",
        PACKED + GOOD, "orders.jsonl.gz"),
    Row("gzip data under a name that does not say so", "unreadable",
        "line 1: it is gzip: its name must then end in .gz", PACKED),
    Row("a spreadsheet or zip archive", "unreadable",
        "line 1: it is a zip archive or a spreadsheet: save it as CSV or JSON lines",
        b"PK\x03\x04" + GOOD, "o.csv"),
    Row("UTF-16 text", "unreadable", "line 1: it is UTF-16 text: save it as UTF-8",
        GOOD.decode().encode("utf-16"), "o.csv"),
    Row("anything, under another name", "unreadable",
        "line 1: the name does not say what the file holds: a name must end in .jsonl, .ndjson, "
        ".json or .csv, or one of these with .gz", GOOD, "orders.txt"),
    Row("orders, but deleted before it was read", "source_lost",
        "the object is gone from the bucket; orders read before that are sent", GOOD,
        lost="the object is gone from the bucket"),
    Row("orders, but replaced while it was being read", "source_lost",
        "the object was replaced by another one; orders read before that are sent", GOOD,
        lost="the object was replaced by another one"),
    Row("more orders than can be sent before they expire", "refused_admission",
        "2 orders (about 2 of this file) take 2.0 hours at 1/h, and the stream keeps an order for "
        "1.0 hours, of which 90% may be used: deploy with RetentionHours=24 and upload it again, "
        "or wait until others are sent", GOOD * 2, rate="1/h"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.held)
def test_it_ends_as_its_row_says(row: Row) -> None:
    world = World(longest_bytes=LONGEST_BYTES, aggregate_bytes=200_000, retention_hours=1)
    world.rate = parse_rate(row.rate)
    world.bucket.chunk_bytes = 10_000
    world.bucket.lost = row.lost
    request = world.store(row.content, row.key)

    world.run(request)
    told = _told(world, request)
    _accept_all(world, request)

    account = world.account(request)
    assert account.upload.state == row.ended
    assert not account.upload.listed_open
    assert told == row.sentence


def test_the_table_has_these_rows_and_no_others() -> None:
    table, _, _ = TABLE.read_text(encoding="utf-8").partition("## Events")
    rows = [line for line in table.splitlines() if line.startswith("| ")]

    assert rows[1:] == [_as_written(row) for row in ROWS]


def _as_written(row: Row) -> str:
    sentence = f"`{row.sentence}`" if row.sentence else ""
    return f"| {row.held} | `{row.ended}` | {sentence} |".replace("  |", " |")


def _told(world: World, request: UploadRequest) -> str:
    """The upload's sentence, or the first line of the report."""
    reason = world.account(request).upload.reason
    return reason or next((f"line {n}: {why}" for n, why in world.reported(request).items()), "")


def _accept_all(world: World, request: UploadRequest) -> None:
    """Do what a consumer does when the API accepts every order."""
    seen = consume(world.stream.records)
    for lane in world.account(request).lanes:
        orders = seen.orders.get((request.upload, lane.key.lane), [])
        last = orders[-1].line if orders else 0
        spans = (Span(0, last, len(orders), 1, Outcome.ACCEPTED),) if orders else ()
        world.ledger.settle(lane, Settlement(spans, ended=True))
    world.ledger.close_if_drained(request.upload, now=0.0)
