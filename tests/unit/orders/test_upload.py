from itertools import pairwise

import pytest

from orders.upload import (
    UploadId,
    idempotency_key,
    lane_hash_key,
    lane_number_of,
    object_version,
    parse_partition_key,
    partition_key,
    upload_id,
)

UPLOAD = UploadId("0123456789abcdef0123")
HASH_KEYS = 1 << 128


def test_the_same_object_version_is_the_same_upload_and_another_is_not() -> None:
    upload = upload_id("bucket", "uploads/a.jsonl", "v1")

    assert upload == upload_id("bucket", "uploads/a.jsonl", "v1")
    assert upload not in {
        upload_id("bucket", "uploads/a.jsonl", "v2"),
        upload_id("bucket", "uploads/a.json", "lv1"),
        upload_id("bucke", "tuploads/a.jsonl", "v1"),
    }
    assert upload == "88475ec6f7df2ba39326"


@pytest.mark.parametrize("version_id", [None, "", "null"])
def test_without_versions_etag_and_sequencer_distinguish_objects(version_id: str | None) -> None:
    assert object_version(version_id, etag='"abc"', sequencer="007") == "abc:007"


def test_a_version_id_is_enough() -> None:
    assert object_version("v1", etag="abc", sequencer="007") == "v1"


def test_a_partition_key_names_upload_and_lane() -> None:
    assert parse_partition_key(partition_key(UPLOAD, 17)) == (UPLOAD, 17)


@pytest.mark.parametrize(
    "text", ["", "x", f"{UPLOAD}", f"{UPLOAD}/", f"{UPLOAD}/01", f"{UPLOAD}/1000", f"{UPLOAD}/0\n"]
)
def test_a_foreign_partition_key_names_nothing(text: str) -> None:
    assert parse_partition_key(text) is None


def test_lanes_are_spread_evenly_over_the_hash_keys() -> None:
    keys = sorted(int(lane_hash_key(UPLOAD, lane, 4)) for lane in range(4))

    gaps = {(after - before) % HASH_KEYS for before, after in pairwise(keys)}
    assert gaps == {HASH_KEYS // 4}
    assert all(0 <= key < HASH_KEYS for key in keys)


def test_the_hash_key_of_a_lane_never_changes() -> None:
    assert lane_hash_key(UPLOAD, 0, 1) == "37015829095290133985572882486836695131"


def test_equal_order_ids_share_a_lane_and_many_ids_fill_all() -> None:
    lanes = [lane_number_of(f"order-{n}", 8) for n in range(1_000)]

    assert lane_number_of("order-1", 8) == lanes[1]
    assert all(lanes.count(lane) > 80 for lane in range(8))


def test_the_idempotency_key_depends_on_upload_and_line_alone() -> None:
    assert idempotency_key(UPLOAD, 7) == "1d0aaf8d9a5041f7685e2279365c82d3"
    assert idempotency_key(UPLOAD, 7) != idempotency_key(UPLOAD, 8)
