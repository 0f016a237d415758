import json

from orders.invalid_report import read_report_parts, report_folder, report_key, write_report_part
from orders.parsed_lines import InvalidLine
from orders.upload import UploadId

UPLOAD = UploadId("0123456789abcdef0123")


def test_the_parts_of_an_upload_sort_in_file_order_in_its_folder() -> None:
    keys = [report_key("reports/", UPLOAD, start=start, end=start + 1) for start in (9, 10, 2000)]

    assert keys == sorted(keys)
    assert all(key.startswith(report_folder("reports/", UPLOAD)) for key in keys)


def test_a_part_is_json_lines_of_line_reason_and_raw() -> None:
    part = write_report_part([InvalidLine(7, "is not an order", "ä".encode())])

    assert json.loads(part) == {"line": 7, "reason": "is not an order", "raw": "ä"}


def test_any_raw_bytes_round_trip() -> None:
    invalid = [
        InvalidLine(1, "a", b"\xff\x00\n"),
        InvalidLine(2, "b", "\u2028\x85 \\".encode()),
        InvalidLine(3, "c", b"x" * 10, is_cut=True),
    ]

    assert list(read_report_parts([write_report_part(invalid)])) == invalid


def test_overlapping_parts_report_each_line_once() -> None:
    first, second, third = (InvalidLine(line, "r", b"x") for line in (1, 2, 3))

    parts = [write_report_part([first, second]), write_report_part([second, third])]

    assert list(read_report_parts(parts)) == [first, second, third]
