import pytest

from orders.formats import Format, Layout, SourceUnreadable, format_of, refuse_other_contents


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uploads/a.jsonl", Format(Layout.JSON_LINES, is_gzip=False)),
        ("a.ndjson", Format(Layout.JSON_LINES, is_gzip=False)),
        ("a.json", Format(Layout.JSON_LINES, is_gzip=False)),
        ("A.CSV", Format(Layout.CSV, is_gzip=False)),
        ("a.csv.GZ", Format(Layout.CSV, is_gzip=True)),
        ("a.b.jsonl.gz", Format(Layout.JSON_LINES, is_gzip=True)),
    ],
)
def test_the_name_says_what_a_file_holds(name: str, expected: Format) -> None:
    assert format_of(name) == expected


@pytest.mark.parametrize("name", ["a", "a.gz", "a.txt", "a.jsonl.zip", "jsonl", "a.tsv"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(SourceUnreadable, match=r"\.jsonl, \.ndjson, \.json or \.csv") as caught:
        format_of(name)

    assert caught.value.line == 1


@pytest.mark.parametrize(
    ("beginning", "advice"),
    [
        (b"\x1f\x8b\x08\0", "must then end in .gz"),
        (b"PK\x03\x04", "save it as CSV"),
        (b"\xff\xfe{\0", "save it as UTF-8"),
        (b"\xfe\xff\0{", "save it as UTF-8"),
        (b"PAR1", "save it as CSV"),
        (b"BZh9", "use gzip"),
        (b"\x28\xb5\x2f\xfd", "use gzip"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_advice(beginning: bytes, advice: str) -> None:
    with pytest.raises(SourceUnreadable, match=advice):
        refuse_other_contents(beginning, Layout.CSV)


def test_text_is_accepted() -> None:
    refuse_other_contents(b'\xef\xbb\xbf{"', Layout.JSON_LINES)
    refuse_other_contents(b"", Layout.JSON_LINES)


@pytest.mark.parametrize("beginning", [b"[", b'[{"a":1}]', b"\xef\xbb\xbf \t\r\n [\n"])
def test_a_json_array_is_named_as_such(beginning: bytes) -> None:
    with pytest.raises(SourceUnreadable, match=r"it is a JSON array: .* jq -c '\.\[\]'"):
        refuse_other_contents(beginning, Layout.JSON_LINES)


def test_a_csv_column_may_begin_with_a_bracket() -> None:
    refuse_other_contents(b"[id],sku\n", Layout.CSV)
