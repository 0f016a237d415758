"""The envelope, and the golden files that every later release must still read."""

import json
from pathlib import Path

import pytest

from orders.envelope import (
    EndMarker,
    OrderEnvelope,
    UnknownVersion,
    Unreadable,
    decode,
    encode_end,
    encode_order,
)
from orders.upload import UploadId, partition_key

GOLDEN = Path(__file__).parents[2] / "golden"
UPLOAD = UploadId("0123456789abcdef0123")
KEY = partition_key(UPLOAD, 2)
# Line 9, the fifth order of its lane, with the id ä.
WITH_ID = encode_order(9, 7, 5, b"{}", "ä")


def test_an_order_round_trips() -> None:
    content = encode_order(9, 7, 5, b'{"order_id":"a"}')

    assert decode(KEY, content) == OrderEnvelope(UPLOAD, 2, 9, 7, 5, b'{"order_id":"a"}')


def test_an_order_of_another_kind_carries_its_id() -> None:
    assert decode(KEY, WITH_ID) == OrderEnvelope(UPLOAD, 2, 9, 7, 5, b"{}", "ä")


def test_an_end_marker_carries_the_last_line_and_the_count() -> None:
    assert decode(KEY, encode_end(9, 5)) == EndMarker(UPLOAD, 2, 9, 5)
    assert decode(KEY, encode_end(0, 0)) == EndMarker(UPLOAD, 2, 0, 0)


def test_a_later_version_is_distinguished_from_garbage() -> None:
    assert decode(KEY, b"\x03whatever") == UnknownVersion(3)


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("1", encode_order(1, 0, 1, b"x"), "the partition key '1' names no upload and lane"),
        (KEY, b"", "the record is empty"),
        (KEY, b'{"order_id":"a"}', "the record does not start like an envelope"),
        (KEY, b"\xf3\x89\x9a\xc2broken", "the record does not start like an envelope"),
        (KEY, b"\0", "the record does not start like an envelope"),
        (KEY, b"\x01\x01\0", "the envelope is cut off after 3 bytes"),
        (KEY, encode_order(1, 1, 1, b"x"), "line 1, prev 1 and ordinal 1 contradict"),
        (KEY, encode_order(2, 0, 2, b"x"), "line 2, prev 0 and ordinal 2 contradict"),
        (KEY, encode_order(2, 1, 3, b"x"), "line 2, prev 1 and ordinal 3 contradict"),
        (KEY, encode_order(2, 1, 2, b""), "the order of line 2 has no body"),
        (KEY, encode_end(0, 1), "the end marker contradicts itself"),
        (KEY, encode_end(3, 2) + b"x", "the end marker contradicts itself"),
        (KEY, b"\x01\x03" + bytes(12), "the envelope is of no known kind (3)"),
        (KEY, b"\x02" + encode_end(9, 5)[1:], "the envelope has no order"),
        (KEY, WITH_ID[:5], "the envelope is cut off after 5 bytes"),
        (KEY, WITH_ID[:-2], "the order of line 9 has no id or no body"),
        (KEY, WITH_ID[:-1].replace(b"\xc3\xa4", b""), "the order of line 9 has no id or no body"),
        (
            KEY,
            WITH_ID.replace(b"\xc3\xa4", b"\xff\xff"),
            "the id of the order of line 9 is not UTF-8",
        ),
    ],
)
def test_other_bytes_are_unreadable_with_a_reason(key: str, content: bytes, reason: str) -> None:
    assert decode(key, content) == Unreadable(reason)


@pytest.mark.parametrize(
    "golden", json.loads((GOLDEN / "envelopes.json").read_text()), ids=lambda g: str(g["name"])
)
def test_envelopes_of_every_release_are_read(golden: dict[str, object]) -> None:
    decoded = decode(str(golden["partition_key"]), bytes.fromhex(str(golden["hex"])))

    assert repr(decoded) == golden["reads_as"]
