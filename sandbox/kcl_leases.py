"""KCL's leases, created in advance so that a new application starts in seconds.

Left alone, the daemon of a new application creates the table, waits for a random time of up to 30 s
in case another daemon does the same, and then waits for a leader to give it the shards.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient

OWNER_INDEX = "LeaseOwnerToLeaseKeyIndex"


def make_leases(
    dynamodb: "DynamoDBClient",
    kinesis: "KinesisClient",
    *,
    table: str,
    stream: str,
    owners: tuple[str, ...],
) -> None:
    """Create the lease table of a new application, its index, and one lease per shard.

    `owners` are KCL worker ids; they get the shards in turn, each to be read from its beginning.
    """
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "leaseKey", "AttributeType": "S"},
            {"AttributeName": "leaseOwner", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": OWNER_INDEX,
                "KeySchema": [
                    {"AttributeName": "leaseOwner", "KeyType": "HASH"},
                    {"AttributeName": "leaseKey", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    for number, shard in enumerate(kinesis.list_shards(StreamName=stream)["Shards"]):
        hashes = shard["HashKeyRange"]
        dynamodb.put_item(
            TableName=table,
            Item={
                "leaseKey": {"S": shard["ShardId"]},
                "leaseOwner": {"S": owners[number % len(owners)]},
                "leaseCounter": {"N": "0"},
                "checkpoint": {"S": "TRIM_HORIZON"},
                "checkpointSubSequenceNumber": {"N": "0"},
                "ownerSwitchesSinceCheckpoint": {"N": "0"},
                "startingHashKey": {"S": hashes["StartingHashKey"]},
                "endingHashKey": {"S": hashes["EndingHashKey"]},
            },
        )
