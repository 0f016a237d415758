"""What stays when the stacks are deleted, because it holds orders, and deleting that as well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orders_cli.deploy.account import DeployAccount

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

TABLE_KEYS = {
    "-ledger": "pk",
    "-leases": "leaseKey",
    "-leases-CoordinatorState": "key",
    "-leases-WorkerMetricStats": "wid",
    "": "leaseKey",  # as KCL made it for an earlier release (docs/upgrading.md)
    "-CoordinatorState": "key",
    "-WorkerMetricStats": "wid",
}
"""What follows the application in a table's name, and the hash key by which a table is ours."""
_MISSING = frozenset(
    {
        *("404", "NoSuchBucket", "ResourceNotFoundException"),
        *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
    }
)


def orders_kept(account: DeployAccount) -> list[str]:
    """The names of what holds orders or knows of them, for people."""
    application = account.environment.application
    return [
        f"bucket {_upload_bucket(account)}",
        f"stream {application}-stream",
        *(f"table {name}" for name in _tables(application)),
        f"queue {application}-intake-dead-letters",
    ]


def delete_orders(account: DeployAccount, tell: Callable[[str], None]) -> None:
    """Delete all of it for good. What is gone already is passed over."""
    application, session, config = account.environment.application, account.session, account.config
    kinesis = session.client("kinesis", config=config)
    with _gone_is_fine():
        kinesis.delete_stream(StreamName=f"{application}-stream", EnforceConsumerDeletion=True)
        kinesis.get_waiter("stream_not_exists").wait(StreamName=f"{application}-stream")
        tell(f"  deleted: stream {application}-stream")
    sqs = session.client("sqs", config=config)
    with _gone_is_fine():
        name = f"{application}-intake-dead-letters"
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
        tell(f"  deleted: queue {name}")
    dynamodb = session.client("dynamodb", config=config)
    for suffix, key in TABLE_KEYS.items():
        table = f"{application}{suffix}"
        with _gone_is_fine():
            if _delete_table(dynamodb, table, key):
                tell(f"  deleted: table {table}")
            else:
                tell(f"  kept: table {table}, which is not ours: its key is not {key}")
    with _gone_is_fine():
        bucket = _upload_bucket(account)
        _empty(session.client("s3", config=config), bucket, account.account)
        tell(f"  deleted: bucket {bucket}")


def _tables(application: str) -> list[str]:
    return [f"{application}{suffix}" for suffix in TABLE_KEYS]


def _delete_table(dynamodb: "DynamoDBClient", table: str, key: str) -> bool:
    """Delete a table with this hash key, and wait; False for another one."""
    found = dynamodb.describe_table(TableName=table)["Table"]
    if {"AttributeName": key, "KeyType": "HASH"} not in found["KeySchema"]:
        return False
    if found.get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=table)
    dynamodb.delete_table(TableName=table)
    dynamodb.get_waiter("table_not_exists").wait(TableName=table)
    return True


def _upload_bucket(account: DeployAccount) -> str:
    return f"{account.environment.application}-{account.account}-{account.region}"


def _empty(s3: "S3Client", bucket: str, owner: str) -> None:
    """Delete every version of every object, then the bucket."""
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, ExpectedBucketOwner=owner
    )
    for page in pages:
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=bucket, ExpectedBucketOwner=owner)


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _MISSING:
            raise
