"""Does every value survive being written to DynamoDB and read again?

The strategies follow the values' own types, so that a field added to one is tried, too.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ledger.claim import Claim
from ledger.dynamodb.claims import claim_of, claim_row
from ledger.dynamodb.dead_letters import letter_of, letter_row
from ledger.dynamodb.lane_row import lane_fields, lane_key, lane_of
from ledger.dynamodb.redrives import redrive_of, redrive_row
from ledger.dynamodb.row import Row, from_item, to_item
from ledger.dynamodb.schema import instant
from ledger.dynamodb.upload_row import upload_of, upload_row
from ledger.pace.history import History
from ledger.pace.pace import Pace
from ledger.uploads.dead_letter import DeadLetter
from ledger.uploads.lane import Lane, LaneKey, Recent
from ledger.uploads.redrive import Redrive
from ledger.uploads.upload import Upload

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    float: st.floats(0, 4e9),
    int: st.integers(0, 10**12),
    str: st.text(max_size=20),
    bytes: st.binary(max_size=20),
    Recent: st.builds(
        Recent,
        bits=st.integers(0, (1 << 1_000) - 1),
        length=st.integers(0, 1_000),
        resumed=st.integers(0, 9),
    ),
    LaneKey: st.builds(
        LaneKey, upload=st.from_regex(r"[0-9a-f]{20}", fullmatch=True), lane=st.integers(0, 998)
    ),
}


def every(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - types at run time
    """Values of a type with every field filled, those with a default included."""
    kind = getattr(kind, "__supertype__", kind)
    if kind in LEAVES:
        return LEAVES[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return st.one_of(*(every(one) for one in inner))
    if origin is tuple and inner[-1] is not Ellipsis:
        return st.tuples(*(every(one) for one in inner))
    if origin is tuple:
        return st.lists(every(inner[0]), max_size=3).map(tuple)
    if origin is Mapping:
        return st.dictionaries(every(inner[0]), every(inner[1]), max_size=3)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{field.name: every(hints[field.name]) for field in fields(kind)})
    return st.from_type(kind)


def stored(row: Row) -> Row:
    """The row as it is read after it was written."""
    return from_item(to_item(row))


@given(every(Upload))
def test_an_upload_does(upload: Upload) -> None:
    # An upload that is over has an end; one without lanes has none; no id is empty.
    upload = replace(
        upload,
        ended_at=None if upload.listed_open else upload.ended_at or 1.0,
        linked=upload.linked or None,
    )

    assert upload_of(stored(upload_row(upload))) == upload


@given(every(Upload))
def test_the_upload_of_an_older_release_is_read(upload: Upload) -> None:
    item = to_item(upload_row(upload))
    del item["admitted"]
    for tail in item["progress"]["M"]["tails"]["L"]:
        del tail["M"]["sequence_number"]

    older = upload_of(from_item(item))

    assert not older.admitted
    assert older.progress.tails == tuple(
        replace(tail, sequence_number="") for tail in upload.progress.tails
    )


@given(every(Lane))
def test_a_lane_does(lane: Lane) -> None:
    assert lane_of(stored(lane_key(lane.key) | lane_fields(lane))) == lane


@given(every(DeadLetter))
def test_a_dead_letter_does(letter: DeadLetter) -> None:
    letter = replace(
        letter, redriven_as=letter.redriven_as or None, redrive_key=letter.redrive_key or None
    )

    assert letter_of(stored(letter_row(letter))) == letter


@given(every(Redrive))
def test_a_redrive_does(redrive: Redrive) -> None:
    assert redrive_of(stored(redrive_row(redrive, now=1.0))) == redrive


@given(every(Claim).map(lambda claim: replace(claim, number=claim.number % 10_000)))
def test_a_claim_does(claim: Claim) -> None:
    assert claim_of(stored(claim_row(claim))) == claim


@given(every(Pace))
def test_the_pace_does(pace: Pace) -> None:
    adapter = TypeAdapter(Pace)

    assert adapter.validate_json(adapter.dump_json(pace)) == pace


@given(every(History))
def test_the_history_does(history: History) -> None:
    adapter = TypeAdapter(History)

    assert adapter.validate_json(adapter.dump_json(history)) == history


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_times_as_text_sort_as_the_times_do(one: float, other: float) -> None:
    earlier, later = sorted((one, other))

    assert instant(earlier) <= instant(later)


def test_the_pace_of_an_older_or_newer_release_is_read() -> None:
    older = b'{"configured": "1/s", "revision": 4}'
    newer = b'{"configured": "1/s", "revision": 4, "something_new": {"a": 1}}'

    expected = Pace(configured="1/s", revision=4)
    adapter = TypeAdapter(Pace)
    assert [adapter.validate_json(text) for text in (older, newer)] == [expected, expected]
