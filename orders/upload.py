"""The names of an upload: its id, its lanes' keys, its orders' idempotency keys.

Everything here is a pure function of the stored object and of line numbers. That makes a
repeated S3 event the same upload, and a repeated line the same order.
"""

import re
import zlib
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import NewType

UploadId = NewType("UploadId", str)
"""20 lower-case hex digits."""

MAX_LANES = 999
"""The ledger writes a lane's number with three digits."""

_HASH_KEYS = 1 << 128
_PARTITION_KEY = re.compile(r"([0-9a-f]{20})/(0|[1-9][0-9]{0,2})", re.ASCII)


def object_version(version_id: str | None, *, etag: str, sequencer: str) -> str:
    """What distinguishes this object from others ever stored under its key.

    S3 calls the version `null` (or omits it) where the bucket is not versioned; then etag and
    sequencer of the event stand in for it.
    """
    if version_id and version_id != "null":
        return version_id
    return f"{etag.strip(chr(34))}:{sequencer}"


def upload_id(bucket: str, key: str, version: str) -> UploadId:
    """The upload id of an object (`version` from `object_version`)."""
    name = f"{bucket}\0{key}\0{version}".encode()
    return UploadId(sha256(name).hexdigest()[:20])


def partition_key(upload: UploadId, lane: int) -> str:
    """The Kinesis partition key of a lane; it carries upload and lane to the consumer."""
    return f"{upload}/{lane}"


@lru_cache(maxsize=1_024)
def parse_partition_key(text: str) -> tuple[UploadId, int] | None:
    """The upload and lane that a partition key names, or None if it is not one of ours."""
    found = _PARTITION_KEY.fullmatch(text)
    if found is None:
        return None
    return UploadId(found[1]), int(found[2])


def lane_hash_key(upload: UploadId, lane: int, lanes: int) -> str:
    """The explicit hash key of a lane: a decimal number below 2**128.

    It depends only on the upload and the number of lanes, never on the current shards, so a split
    or merge in the middle of a file cannot change the order within the lane.
    """
    start = int.from_bytes(sha256(upload.encode()).digest()[:16])
    return str((start + lane * _HASH_KEYS // lanes) % _HASH_KEYS)


def lane_number_of(order_id: str, lanes: int) -> int:
    """The lane of an order; equal order ids share a lane, and so keep their order."""
    return zlib.crc32(order_id.encode()) % lanes


def idempotency_key(upload: UploadId, line: int) -> str:
    """The `Idempotency-Key` of an order, the same for every attempt: 32 hex digits."""
    return sha256(f"{upload}/{line}".encode()).hexdigest()[:32]


def batch_idempotency_key(upload: UploadId, lines: Iterable[int]) -> str:
    """The `Idempotency-Key` of orders that are sent together; of one order, its own."""
    return sha256(f"{upload}/{','.join(map(str, lines))}".encode()).hexdigest()[:32]
