import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orders.formats import format_of
from orders_cli.failures import UsageWrong
from orders_cli.local_file import NAME_CHARACTERS, check_beginning, check_file, new_key

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def test_a_key_says_when_and_what_and_holds_no_strange_letters() -> None:
    key = new_key("uploads/", "Bestellungen März (2).jsonl", now=NOW, token="0a1b")

    assert key == "uploads/20260301T120030Z-0a1b-Bestellungen_M_rz_2_.jsonl"


@pytest.mark.parametrize("name", ["x" * 300 + ".csv.gz", "äöü.jsonl", "a b.json", ".ndjson"])
def test_a_key_ends_like_the_file_name(name: str) -> None:
    assert format_of(new_key("uploads/", name, now=NOW, token="0")) == format_of(name)


def test_a_long_name_is_cut_at_its_beginning() -> None:
    key = new_key("uploads/", "x" * 300 + ".jsonl", now=NOW, token="0")

    assert len(key) <= len("uploads/20260301T120030Z-0-") + NAME_CHARACTERS


def test_two_uploads_of_one_name_have_two_keys() -> None:
    assert new_key("uploads/", "a.jsonl") != new_key("uploads/", "a.jsonl")


def test_a_good_file_passes(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_text("{}\n")

    check_file(file)


def test_what_cannot_be_uploaded_is_refused_with_a_sentence(tmp_path: Path) -> None:
    odd = tmp_path / "orders.xlsx"
    odd.write_bytes(b"PK")

    with pytest.raises(UsageWrong, match="There is no file"):
        check_file(tmp_path / "absent.jsonl")
    with pytest.raises(UsageWrong, match="is a folder"):
        check_file(tmp_path)
    with pytest.raises(UsageWrong, match=r"orders\.xlsx cannot be uploaded: the name does not"):
        check_file(odd)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "orders.json",
            b'\n [\n{"order_id": "A"}\n]',
            "line 1: it is a JSON array: write one order per line, as jq -c '.[]' does",
        ),
        ("orders.csv", b"PK\x03\x04...", "line 1: it is a zip archive or a spreadsheet"),
        ("orders.jsonl.gz", b'{"order_id": "A"}', "line 1: is not gzip"),
    ],
)
def test_a_file_that_begins_as_no_file_of_its_name_does_is_refused(
    name: str, content: bytes, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(UsageWrong) as caught:
        check_beginning(file)

    assert str(caught.value).startswith(f"{name} cannot be uploaded: {reason}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b""),
        ("a.jsonl", b"no order\n"),
        ("a.csv", b"[any],column\n"),
        ("a.jsonl.gz", gzip.compress(b'{"order_id": "A"}\n', mtime=0)),
    ],
)
def test_a_file_that_may_hold_orders_passes(name: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    check_beginning(file)
