import gzip
from collections.abc import Iterable

import pytest

from orders.formats import Format, Layout, SourceUnreadable
from orders.plain_text import BrokenGzip, OpenAt, gunzip, plain_text

PLAIN = Format(Layout.JSON_LINES, is_gzip=False)
PACKED = Format(Layout.JSON_LINES, is_gzip=True)
TEXT = b"one\ntwo\nthree\n" * 10_000


def opener(content: bytes, chunk_bytes: int = 7) -> OpenAt:
    def open_at(offset: int) -> Iterable[bytes]:
        return (content[n : n + chunk_bytes] for n in range(offset, len(content), chunk_bytes))

    return open_at


def test_plain_text_is_entered_at_its_offset() -> None:
    assert b"".join(plain_text(opener(TEXT), PLAIN, 4)) == TEXT[4:]


def test_gzip_text_is_entered_at_the_offset_of_its_plain_text() -> None:
    packed = opener(gzip.compress(TEXT), 1_000)

    assert b"".join(plain_text(packed, PACKED, 100_001)) == TEXT[100_001:]
    assert b"".join(plain_text(packed, PACKED, len(TEXT))) == b""


def test_all_members_of_a_gzip_file_are_read_and_padding_is_not() -> None:
    packed = gzip.compress(b"one\n") + gzip.compress(b"") + gzip.compress(b"two\n") + bytes(512)

    assert b"".join(gunzip(opener(packed)(0))) == b"one\ntwo\n"


def test_a_chunk_stays_small_however_well_it_was_compressed() -> None:
    packed = gzip.compress(bytes(20_000_000))

    assert max(map(len, gunzip([packed]))) <= 1 << 18


@pytest.mark.parametrize("kept", [0, 1, 5, 9, 15, -1, -9])
def test_a_truncated_gzip_file_gives_what_is_there_and_then_fails(kept: int) -> None:
    packed = gzip.compress(b"one\ntwo\n")[:kept]

    with pytest.raises(BrokenGzip, match="the gzip is cut off"):
        list(gunzip(opener(packed)(0)))


def test_other_bytes_are_reported_as_not_gzip() -> None:
    with pytest.raises(BrokenGzip, match="is not gzip"):
        list(gunzip([b"plain text"]))
    with pytest.raises(BrokenGzip, match="the gzip is followed by other bytes"):
        list(gunzip([gzip.compress(b"one\n"), b"plain text"]))


def test_a_json_array_is_detected_behind_blank_lines_in_any_chunks() -> None:
    array = b"\xef\xbb\xbf" + b"\r\n \t" * 1_000 + b'[\n{"order_id":"a"}]\n'

    with pytest.raises(SourceUnreadable, match="JSON array"):
        list(plain_text(opener(array, 1), PLAIN, 0))
    with pytest.raises(SourceUnreadable, match="JSON array"):
        list(plain_text(opener(gzip.compress(array)), PACKED, 0))
    blank = b"\n" * 200_000
    assert b"".join(plain_text(opener(blank + b"[", 1_000), PLAIN, 0)) == blank + b"["


def test_a_file_of_another_kind_is_detected_only_at_its_beginning() -> None:
    archive = b"PK\x03\x04" + TEXT

    with pytest.raises(SourceUnreadable, match="zip archive"):
        list(plain_text(opener(archive, 1), PLAIN, 0))
    with pytest.raises(SourceUnreadable, match="zip archive"):
        list(plain_text(opener(gzip.compress(archive)), PACKED, 0))
    assert b"".join(plain_text(opener(b"{}\n" + archive), PLAIN, 3)) == archive
