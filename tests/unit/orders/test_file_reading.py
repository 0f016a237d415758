import gzip
from collections.abc import Iterable

import pytest

from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.parsed_lines import FilePosition, InvalidLine, ParsedLines
from tests.support.producer_world import order_line

HEADER = b"order_id,customer_id,sku,quantity,unit_price,currency,placed_at,note\n"
RECORD = b"A-1,C,S,3,9.99,EUR,,\n"


def read(
    content: bytes, name: str = "o.jsonl", limits: ReadingLimits | None = None
) -> list[ParsedLines]:
    def open_at(offset: int) -> Iterable[bytes]:
        return [content[offset:]]

    return list(parse_file(open_at, format_of(name), FilePosition(), limits or ReadingLimits()))


def bodies(parts: list[ParsedLines]) -> dict[int, bytes]:
    return {n: body for b in parts for n, body in zip(b.numbers, b.bodies, strict=True)}


def invalid(parts: list[ParsedLines]) -> dict[int, str]:
    return {one.line: one.reason for part in parts for one in part.invalid}


def blank(parts: list[ParsedLines]) -> int:
    return sum(part.blank for part in parts)


def test_the_body_of_a_json_line_is_the_line_byte_for_byte() -> None:
    lines = [
        order_line(1),
        b'  {"x":1, ' + order_line(2)[1:] + b" ",
        order_line(3, note="ä\\u00e4"),
    ]

    assert bodies(read(b"\n".join(lines))) == dict(enumerate(lines, 1))


def test_neither_bom_nor_line_endings_reach_the_api() -> None:
    content = b"\xef\xbb\xbf" + order_line(1) + b"\r\n" + order_line(2) + b"\r"

    assert bodies(read(content)) == {1: order_line(1), 2: order_line(2)}


def test_blank_lines_are_counted_and_numbered() -> None:
    parts = read(b"\n \t\n\r\n" + order_line(4) + b"\n\n")

    assert blank(parts) == 4
    assert list(bodies(parts)) == [4]


def test_an_invalid_line_is_kept_with_its_number_and_reason_and_reading_continues() -> None:
    parts = read(order_line(1) + b"\n{broken\n" + order_line(3))

    assert list(bodies(parts)) == [1, 3]
    assert [one for part in parts for one in part.invalid] == [
        InvalidLine(2, "Invalid JSON: key must be a string at column 2", b"{broken")
    ]


def test_a_line_that_is_too_long_is_invalid_and_shows_its_beginning() -> None:
    content = order_line(1, pad="x" * 5_000) + b"\n" + order_line(2)

    parts = read(content, limits=ReadingLimits(4_000))

    (one,) = parts[0].invalid
    assert one == InvalidLine(1, "is longer than 4000 bytes", content[:1024], is_cut=True)
    assert list(bodies(parts)) == [2]


def test_a_gzip_file_is_read_as_its_plain_text() -> None:
    content = b"\n".join(map(order_line, range(1, 100)))

    assert bodies(read(gzip.compress(content), "o.json.gz")) == bodies(read(content))


def test_a_truncated_gzip_file_gives_its_whole_lines_and_the_line_where_it_broke() -> None:
    content = b"".join(order_line(n) + b"\n" for n in range(1, 50))
    packed = gzip.compress(content)[:-8]
    found: list[ParsedLines] = []

    with pytest.raises(SourceUnreadable, match="the gzip is cut off") as caught:
        found.extend(
            parse_file(lambda _: [packed], format_of("o.jsonl.gz"), FilePosition(), ReadingLimits())
        )

    assert caught.value.line == 50


def test_a_csv_record_becomes_compact_json_in_column_order() -> None:
    parts = read(HEADER + "A-1,C,S,3,9.90,EUR,2026-03-01T09:30:00Z,grün\n".encode(), "o.csv")

    assert bodies(parts) == {
        2: (
            '{"order_id":"A-1","customer_id":"C","sku":"S","quantity":3,"unit_price":"9.90",'
            '"currency":"EUR","placed_at":"2026-03-01T09:30:00Z","note":"grün"}'
        ).encode()
    }


def test_empty_optional_fields_are_omitted() -> None:
    (body,) = bodies(read(HEADER + RECORD, "o.csv")).values()

    assert body.endswith(b'"currency":"EUR"}')


def test_the_header_of_a_csv_file_is_neither_read_nor_counted() -> None:
    parts = read(HEADER + RECORD + b"\n" + RECORD, "o.csv")

    assert list(bodies(parts)) == [2, 4]
    assert blank(parts) == 1
    assert read(HEADER, "o.csv") == read(HEADER.rstrip(), "o.csv") == []


@pytest.mark.parametrize("delimiter", [b";", b"\t", b"|"])
def test_the_delimiter_is_detected_from_the_header(delimiter: bytes) -> None:
    parts = read((HEADER + RECORD).replace(b",", delimiter), "o.csv")

    assert list(bodies(parts)) == [2]


def test_a_setting_names_a_delimiter_that_cannot_be_detected() -> None:
    parts = read((HEADER + RECORD).replace(b",", b"~"), "o.csv", ReadingLimits(delimiter="~"))

    assert list(bodies(parts)) == [2]


def test_a_quoted_field_may_hold_delimiters_quotes_and_line_feeds() -> None:
    record = b'A-1,"C, ""x""","S\r\nT",3,9.99,EUR,,\n'

    parts = read(HEADER + record + RECORD, "o.csv")

    assert list(bodies(parts)) == [2, 4]
    assert b'"customer_id":"C, \\"x\\"","sku":"S\\r\\nT"' in bodies(parts)[2]


def test_a_quoted_field_may_hold_a_line_feed_at_the_end_of_a_chunk() -> None:
    content = HEADER + b'A-1,C,"S\nT",3,9.99,EUR,,\n' + RECORD

    def open_at(offset: int) -> Iterable[bytes]:
        return [content[offset : offset + 1], *(bytes([b]) for b in content[offset + 1 :])]

    parts = list(parse_file(open_at, format_of("o.csv"), FilePosition(), ReadingLimits()))

    assert list(bodies(parts)) == [2, 4]


def test_a_quote_that_is_never_closed_invalidates_only_its_line() -> None:
    content = HEADER + b'A-1,"C,S,3,9.99,EUR,,\n' + RECORD * 3

    parts = read(content, "o.csv")

    assert invalid(parts) == {2: "a quote is never closed"}
    assert list(bodies(parts)) == [3, 4, 5]


def test_a_quote_that_stays_open_for_too_long_invalidates_only_its_line() -> None:
    content = HEADER + b'A-1,"C,S,3,9.99,EUR,,\n' + RECORD * 100

    parts = read(content, "o.csv", ReadingLimits(longest_bytes=300))

    assert invalid(parts) == {2: "a quote is never closed"}
    assert list(bodies(parts)) == list(range(3, 103))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"A-1,C\n", "has 2 fields where the header has 8"),
        (b"A-1,C,S,3,9.99,EUR,,,\n", "has 9 fields where the header has 8"),
        (b"A-1,C,S,three,9.99,EUR,,\n", "quantity: Input should be a valid integer"),
        (b"A-1,C,S,3,1e2,EUR,,\n", "unit_price: must be a plain decimal of 0 or more with at most"),
        (b" A-1,C,S,3,9.99,EUR,,\n", "order_id: must be 1 to 128 printable characters"),
        (b"A-1,,S,3,9.99,EUR,,\n", "customer_id: String should have at least 1 character"),
        (b"A-1,\xff,S,3,9.99,EUR,,\n", "is not UTF-8"),
        (b"A-1,a\0b,S,3,9.99,EUR,,\n", "holds a NUL byte"),
        (b'A-1,"C"x,S,3,9.99,EUR,,\n', "is not CSV: ',' expected after '\"'"),
        (b"A-1,C\rD,S,3,9.99,EUR,,\n", "is not CSV: new-line character seen in unquoted field"),
    ],
)
def test_a_csv_record_that_is_not_an_order_is_invalid_with_a_reason(
    record: bytes, reason: str
) -> None:
    parts = read(HEADER + record + RECORD, "o.csv")

    assert invalid(parts)[2].startswith(reason)
    assert [one.raw for b in parts for one in b.invalid] == [record.removesuffix(b"\n")]
    assert list(bodies(parts)) == [3]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"order_id,sku\n", "the header lacks the columns customer_id, quantity, unit_price, curr"),
        (b"\n" + HEADER, "the header lacks the columns order_id"),
        (RECORD, "the header lacks the columns order_id"),
        (HEADER.replace(b"note", b"sku"), "the header names 'sku' more than once"),
        (b"\xff" + HEADER, "the header is not UTF-8"),
        (b"x" * 301, "the header is longer than 300 bytes"),
    ],
)
def test_a_csv_file_with_another_header_is_unreadable(header: bytes, reason: str) -> None:
    with pytest.raises(SourceUnreadable, match=reason) as caught:
        read(header + RECORD, "o.csv", ReadingLimits(longest_bytes=300))

    assert caught.value.line == 1


def test_an_empty_file_has_no_lines_whatever_its_name() -> None:
    assert read(b"") == read(b"", "o.csv") == read(gzip.compress(b""), "o.csv.gz") == []
