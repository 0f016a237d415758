"""Which leases does a new application begin with?

Left alone, KCL waits for a random time of up to 30 s at an empty lease table, in case another
daemon fills it, and then for a leader to hand out the shards. Leases that are there already, each
with an owner, are taken at once (decision 81).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

LEASES_MAX = 100
"""Writes that one transaction of DynamoDB takes."""


@dataclass(frozen=True, slots=True)
class FirstLease:
    """A shard that nobody has read, and the KCL worker id that shall read it.

    The hashes are the ends of the shard's range of hash keys, as decimal text.
    """

    shard: str
    owner: str
    first_hash: str
    last_hash: str


def first_leases(
    shards: "Sequence[ShardTypeDef]", owners: Sequence[str]
) -> tuple[FirstLease, ...] | None:
    """One lease a shard, the owners in turn; None where KCL must find the leases itself.

    It must on a stream that was resharded, because a shard's children are not to be read before
    their parent has ended, and where the leases are more than one transaction takes.
    """
    resharded = any("EndingSequenceNumber" in shard["SequenceNumberRange"] for shard in shards)
    if resharded or not 0 < len(shards) <= LEASES_MAX:
        return None
    return tuple(
        FirstLease(
            shard["ShardId"],
            owners[number % len(owners)],
            shard["HashKeyRange"]["StartingHashKey"],
            shard["HashKeyRange"]["EndingHashKey"],
        )
        for number, shard in enumerate(shards)
    )


def lease_row(lease: FirstLease) -> "dict[str, AttributeValueTypeDef]":
    """The row as KCL writes it (DynamoDBLeaseSerializer), at the beginning of the shard."""
    return {
        "leaseKey": {"S": lease.shard},
        "leaseOwner": {"S": lease.owner},
        "leaseCounter": {"N": "0"},
        "checkpoint": {"S": "TRIM_HORIZON"},
        "checkpointSubSequenceNumber": {"N": "0"},
        "ownerSwitchesSinceCheckpoint": {"N": "0"},
        "startingHashKey": {"S": lease.first_hash},
        "endingHashKey": {"S": lease.last_hash},
    }
