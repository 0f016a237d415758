"""Whatever bytes a file holds: its account adds up, and no exception escapes."""

import gzip

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.uploads.upload import UploadState
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.parsed_lines import FilePosition, ParsedLines
from tests.support.examples import examples
from tests.support.producer_world import World, consume, order_line

LONGEST_BYTES = 300

HEADER = b"order_id,customer_id,sku,quantity,unit_price,currency,placed_at\n"
PIECES = st.sampled_from(
    [
        order_line(1),
        order_line(2, order_id="ünï", note='a "quoted" \\ note'),
        order_line(3, unit_price=9.5, placed_at="2026-03-01T09:30:00Z"),
        order_line(4, quantity=0),
        order_line(5).replace(b'"9.99"', b"1e2"),
        order_line(6, pad="x" * LONGEST_BYTES),
        HEADER,
        b"a,c,s,1,9.99,EUR,\n",
        b'"a","c ""x""","s\nt",1,9.99,EUR,2026-03-01T09:30:00Z\n',
        b'"never closed,c,s,1,9.99,EUR,\n',
        b"\n",
        b"\r\n",
        b" \t\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x1f\x8b",
        b"\0",
        b'"',
        b",",
        b"\r",
        b"{",
        b"NaN",
    ]
)
CONTENTS = st.lists(st.one_of(PIECES, st.binary(max_size=20)), max_size=30).map(b"".join)
KEYS = st.sampled_from(["o.jsonl", "o.csv", "o.jsonl.gz", "o.csv.gz", "o.xlsx"])
ENDED = {
    UploadState.SENDING,
    UploadState.DONE,
    UploadState.DONE_WITH_PROBLEMS,
    UploadState.UNREADABLE,
}
MANY = settings(max_examples=examples(200), suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(content=CONTENTS, key=KEYS, is_packed=st.booleans(), cut=st.integers(0, 40))
@example(content=b"", key="o.jsonl", is_packed=False, cut=0)
@example(content=b"", key="o.csv.gz", is_packed=False, cut=0)
@example(content=HEADER, key="o.csv", is_packed=False, cut=0)
def test_the_account_of_any_file_adds_up(
    content: bytes, key: str, is_packed: bool, cut: int
) -> None:
    world = World(longest_bytes=LONGEST_BYTES)
    stored = gzip.compress(content) if is_packed and key.endswith(".gz") else content
    request = world.store(stored[: len(stored) - cut] if is_packed else stored, key)

    world.run_until_read(request)

    account = world.account(request)
    progress = account.upload.progress
    assert account.upload.state in ENDED
    assert account.upload.read_complete
    assert account.lines_read == progress.blank + progress.invalid + progress.enqueued
    seen = consume(world.stream.records)
    assert len(seen.bodies) == progress.enqueued
    assert seen.repeats == 0
    assert len(world.reported(request)) == progress.invalid
    assert bool(account.upload.reason) == (account.upload.state is UploadState.UNREADABLE)


@MANY
@given(content=CONTENTS)
def test_every_line_of_plain_json_lines_is_accounted_for(content: bytes) -> None:
    world = World(longest_bytes=LONGEST_BYTES)
    request = world.store(content)

    world.run_until_read(request)

    account = world.account(request)
    lines = content.split(b"\n")
    if account.upload.state is not UploadState.UNREADABLE:
        assert account.lines_read == len(lines) - (lines[-1] == b"")
    for number, body in consume(world.stream.records).bodies.items():
        line = lines[number - 1].removesuffix(b"\r")
        assert body == (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


@MANY
@given(
    content=CONTENTS,
    key=KEYS.filter(lambda key: key != "o.xlsx"),
    chunk_bytes=st.integers(1, 400),
    data=st.data(),
)
def test_continuing_from_any_part_gives_what_would_have_followed(
    content: bytes, key: str, chunk_bytes: int, data: st.DataObject
) -> None:
    stored = gzip.compress(content) if key.endswith(".gz") else content
    whole = _read(stored, key, chunk_bytes=97, start=FilePosition())

    other_chunks = _read(stored, key, chunk_bytes=chunk_bytes, start=FilePosition())
    assert _flat(whole) == _flat(other_chunks)

    if other_chunks:
        index = data.draw(st.integers(0, len(other_chunks) - 1))
        rest = _read(stored, key, chunk_bytes=97, start=other_chunks[index].end)
        assert _flat(rest) == _flat(other_chunks[index + 1 :])


def test_a_last_line_without_a_line_feed_leaves_no_part_that_ends_before_its_record() -> None:
    stored = HEADER + HEADER + b'"never closed,c,s,1,9.99,EUR,'
    parts = _read(stored, "o.csv", chunk_bytes=1, start=FilePosition())

    for index, part in enumerate(parts):
        rest = _read(stored, "o.csv", chunk_bytes=97, start=part.end)

        assert _flat(rest) == _flat(parts[index + 1 :])


def _read(stored: bytes, key: str, *, chunk_bytes: int, start: FilePosition) -> list[ParsedLines]:
    parts = []
    reading = parse_file(
        lambda offset: (
            stored[at : at + chunk_bytes] for at in range(offset, len(stored), chunk_bytes)
        ),
        format_of(key),
        start,
        ReadingLimits(LONGEST_BYTES),
    )
    try:
        for part in reading:
            parts.append(part)  # noqa: PERF402 - what came before an error counts
    except SourceUnreadable:
        pass
    return parts


def _flat(parts: list[ParsedLines]) -> tuple[object, ...]:
    orders = [
        order
        for part in parts
        for order in zip(part.numbers, part.order_ids, part.bodies, strict=True)
    ]
    invalid = [(one.line, one.is_cut) for part in parts for one in part.invalid]
    return orders, invalid, sum(part.blank for part in parts)
