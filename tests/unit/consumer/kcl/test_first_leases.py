"""The leases that a new application begins with: one a shard, or none at all."""

from typing import TYPE_CHECKING

from consumer.kcl.first_leases import LEASES_MAX, first_leases, lease_row

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import ShardTypeDef


def shard(number: int, *, closed: bool = False) -> "ShardTypeDef":
    numbers: dict[str, str] = {"StartingSequenceNumber": "1"}
    if closed:
        numbers["EndingSequenceNumber"] = "2"
    return {
        "ShardId": f"shardId-{number}",
        "HashKeyRange": {"StartingHashKey": str(number), "EndingHashKey": str(number + 1)},
        "SequenceNumberRange": numbers,  # type: ignore[typeddict-item] # built by hand
    }


def test_the_workers_get_the_shards_in_turn() -> None:
    leases = first_leases([shard(n) for n in range(3)], ["orders-1", "orders-2"])

    assert leases
    assert [(lease.shard, lease.owner) for lease in leases] == [
        ("shardId-0", "orders-1"),
        ("shardId-1", "orders-2"),
        ("shardId-2", "orders-1"),
    ]


def test_a_shard_is_read_from_its_beginning() -> None:
    (lease,) = first_leases([shard(7)], ["orders-1"]) or ()

    row = lease_row(lease)

    assert row["leaseKey"] == {"S": "shardId-7"}
    assert row["checkpoint"] == {"S": "TRIM_HORIZON"}
    assert (row["startingHashKey"], row["endingHashKey"]) == ({"S": "7"}, {"S": "8"})


def test_a_resharded_stream_is_left_to_kcl_which_reads_parents_before_children() -> None:
    assert first_leases([shard(0, closed=True), shard(1), shard(2)], ["orders-1"]) is None


def test_more_leases_than_one_transaction_takes_are_left_to_kcl() -> None:
    many = [shard(n) for n in range(LEASES_MAX + 1)]

    assert first_leases(many[:-1], ["orders-1"]) is not None
    assert first_leases(many, ["orders-1"]) is None


def test_a_stream_that_shows_no_shard_yet_is_left_to_kcl() -> None:
    assert first_leases([], ["orders-1"]) is None
