from orders.line_blocks import LineBlock, LongLine, split_blocks
from orders.parsed_lines import FilePosition


def split(*chunks: bytes, longest_bytes: int = 10) -> list[LineBlock | LongLine]:
    return list(split_blocks(chunks, start=FilePosition(), longest_bytes=longest_bytes))


def test_whole_lines_of_a_chunk_are_one_block() -> None:
    assert split(b"a\nb\nc\n") == [LineBlock(b"a\nb\nc", first_line=1, count=3, offset=6)]


def test_a_line_may_span_many_chunks() -> None:
    assert split(b"a\nb", b"", b"b", b"b\nc\n") == [
        LineBlock(b"a", first_line=1, count=1, offset=2),
        LineBlock(b"bbb\nc", first_line=2, count=2, offset=8),
    ]


def test_a_last_line_without_line_feed_is_a_line() -> None:
    assert split(b"a\nb") == [
        LineBlock(b"a", first_line=1, count=1, offset=2),
        LineBlock(b"b", first_line=2, count=1, offset=3, ends_file=True),
    ]


def test_an_empty_text_has_no_line() -> None:
    assert split() == split(b"") == []


def test_a_text_can_be_entered_in_the_middle() -> None:
    blocks = list(split_blocks([b"c\n"], start=FilePosition(4, 2), longest_bytes=10))

    assert blocks == [LineBlock(b"c", first_line=3, count=1, offset=6)]


def test_a_line_above_the_limit_is_split_off_and_numbered() -> None:
    long = b"x" * 11

    assert split(b"a\n" + long + b"\nb\n") == [
        LineBlock(b"a", first_line=1, count=1, offset=2),
        LongLine(b"x" * 10, line=2, offset=14),
        LineBlock(b"b", first_line=3, count=1, offset=16),
    ]


def test_a_long_line_is_the_same_wherever_the_chunks_end() -> None:
    text = b"a\n" + b"x" * 40 + b"\nb"

    pieces = split(*(text[n : n + 3] for n in range(0, len(text), 3)))

    assert pieces[1] == LongLine(b"x" * 10, line=2, offset=43)
    assert pieces[2:] == [LineBlock(b"b", first_line=3, count=1, offset=44, ends_file=True)]


def test_a_long_line_at_the_end_needs_no_line_feed() -> None:
    assert split(b"x" * 30) == [LongLine(b"x" * 10, line=1, offset=30)]


def test_the_line_ending_does_not_count_for_the_limit() -> None:
    assert split(b"x" * 10 + b"\r\n") == [LineBlock(b"x" * 10 + b"\r", 1, 1, 12)]
    assert split(b"x" * 11 + b"\r\n") == [LongLine(b"x" * 10, line=1, offset=13)]
