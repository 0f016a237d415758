"""The stream's record of an order or of the end of a lane.

Version 1, big-endian, in the data of one KPL user record (upload and lane travel as its
partition key, which an aggregate stores once):

    byte   0      version, 1
    byte   1      kind: 1 an order, 2 the end of the lane
    bytes  2-5    line: physical line of the order, from 1 (an end: 0)
    bytes  6-9    prev: line of the lane's previous enqueued order (0: there is none)
    bytes 10-13   ordinal: how many orders the lane has up to and with this one
    bytes 14-     the order's body, as the API receives it (an end: nothing)

Version 2 is an order of a kind that the consumer does not know: its id, which the reader of the
file found, stands before the body, so that every consumer sends it under the same id.

    byte   0      version, 2; bytes 1-13 as in version 1, of the kind 1
    bytes 14-15   length of the order's id in bytes
    bytes 16-     the order's id in UTF-8, then its body

An end marker holds in `prev` the lane's last line and in `ordinal` the number of its orders.
Records of any release are read by all later ones: see tests/golden.
"""

import json
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final

from orders.upload import UploadId, parse_partition_key

VERSION: Final = 1
VERSION_WITH_ID: Final = 2
ORDER: Final = 1
END: Final = 2
HEADER: Final = Struct(">BBIII")
"""version, kind, line, prev, ordinal; the hot path of packing uses it directly."""

_ID_LENGTH: Final = Struct(">H")
_HIGHEST_VERSION: Final = 31
"""Text starts with a byte of 32 or more, an aggregate with 243: neither is a version."""


@dataclass(frozen=True, slots=True)
class OrderEnvelope:
    """An order of a lane. order_id: where the envelope carries it; else it stands in the body."""

    upload: UploadId
    lane: int
    line: int
    prev: int
    ordinal: int
    body: bytes
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class EndMarker:
    """A lane is complete: `ordinal` orders, the last of them on line `prev` (0: none)."""

    upload: UploadId
    lane: int
    prev: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class UnknownVersion:
    """Written by a later release: it must wait for a release that can read it."""

    version: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Not written by any release, or damaged; `reason` is a clause for people."""

    reason: str


Decoded = OrderEnvelope | EndMarker | UnknownVersion | Unreadable


def encode_order(line: int, prev: int, ordinal: int, body: bytes, order_id: str = "") -> bytes:
    """The record data of an order, with its id where one is given.

    Raises struct.error beyond 32 bits.
    """
    if order_id:
        header = HEADER.pack(VERSION_WITH_ID, ORDER, line, prev, ordinal)
        return header + body_with_id(order_id, body)
    return HEADER.pack(VERSION, ORDER, line, prev, ordinal) + body


def body_with_id(order_id: str, body: bytes) -> bytes:
    """What follows the header of an envelope of version 2. Raises UnicodeEncodeError."""
    name = order_id.encode()
    return _ID_LENGTH.pack(len(name)) + name + body


def encode_end(prev: int, ordinal: int) -> bytes:
    """The record data of a lane's end marker. Raises struct.error beyond 32 bits."""
    return HEADER.pack(VERSION, END, 0, prev, ordinal)


def decode(partition_key: str, data: bytes) -> Decoded:
    """Decode a record of the stream; any bytes give one of the four values."""
    lane_key = parse_partition_key(partition_key)
    if lane_key is None:
        return Unreadable(f"the partition key {partition_key[:64]!r} names no upload and lane")
    if not data:
        return Unreadable("the record is empty")
    version = data[0]
    if version not in (VERSION, VERSION_WITH_ID):
        if 0 < version <= _HIGHEST_VERSION:
            return UnknownVersion(version)
        return Unreadable("the record does not start like an envelope")
    if len(data) < HEADER.size:
        return Unreadable(f"the envelope is cut off after {len(data)} bytes")
    if version == VERSION_WITH_ID:
        return _decode_with_id(*lane_key, data)
    return _decode_first_version(*lane_key, data)


def _decode_with_id(upload: UploadId, lane: int, data: bytes) -> Decoded:
    order = _decode_first_version(upload, lane, data)
    if not isinstance(order, OrderEnvelope):
        return order if isinstance(order, Unreadable) else Unreadable("the envelope has no order")
    start = _ID_LENGTH.size
    end = start + int.from_bytes(order.body[:start], "big")
    name, body = order.body[start:end], order.body[end:]
    if not name or not body:
        return Unreadable(f"the order of line {order.line} has no id or no body")
    try:
        return replace(order, body=body, order_id=name.decode())
    except UnicodeDecodeError:
        return Unreadable(f"the id of the order of line {order.line} is not UTF-8")


def _decode_first_version(upload: UploadId, lane: int, data: bytes) -> Decoded:
    _, kind, line, prev, ordinal = HEADER.unpack_from(data)
    body = bytes(data[HEADER.size :])
    if kind == ORDER:
        if not prev < line or not 0 < ordinal <= line or (prev == 0) != (ordinal == 1):
            return Unreadable(f"line {line}, prev {prev} and ordinal {ordinal} contradict")
        if not body:
            return Unreadable(f"the order of line {line} has no body")
        return OrderEnvelope(upload, lane, line, prev, ordinal, body)
    if kind == END:
        if line or body or (prev == 0) != (ordinal == 0) or ordinal > prev:
            return Unreadable("the end marker contradicts itself")
        return EndMarker(upload, lane, prev, ordinal)
    return Unreadable(f"the envelope is of no known kind ({kind})")


def order_id_of(body: bytes) -> str | None:
    """The order id in a body, None where there is none that a URL could carry.

    The body may be anything, nested as deeply as a record is long.
    """
    try:
        order = json.loads(body)
        order_id = order.get("order_id") if isinstance(order, dict) else None
        if isinstance(order_id, str) and order_id.encode():
            return order_id
    except (ValueError, RecursionError):  # no JSON, too deep, or half a surrogate pair
        pass
    return None
