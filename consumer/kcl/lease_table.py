"""KCL's lease table in DynamoDB: is it there, is it KCL's, and is its index ready?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from consumer.kcl.first_leases import FirstLease, lease_row
from ledger.dynamodb.unreachable import hint_of
from ledger.errors import LedgerUnreachable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        CreateGlobalSecondaryIndexActionTypeDef,
        GlobalSecondaryIndexUpdateTypeDef,
        TableDescriptionTypeDef,
    )

LEASE_KEY = "leaseKey"
OWNER_INDEX = "LeaseOwnerToLeaseKeyIndex"
_USABLE = {"ACTIVE", "UPDATING"}


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such table."""


@dataclass(frozen=True, slots=True)
class WithoutIndex:
    """The table has no index by owner, because an old KCL made it."""


@dataclass(frozen=True, slots=True)
class IndexOfNoStatus:
    """The embedded AWS made the index from a template, and forgot its status; AWS never does.

    KCL takes it for one that is not active, and for ever fails to make it again.
    """


@dataclass(frozen=True, slots=True)
class BeingMade:
    """DynamoDB is not done with it. `what` is a clause that says with what."""

    what: str


@dataclass(frozen=True, slots=True)
class Usable:
    """The daemon can start on it."""


TableState = Missing | WithoutIndex | IndexOfNoStatus | BeingMade | Usable


class ForeignTable(Exception):
    """The table is somebody else's; the message is a sentence that says what to do."""


class LeaseTable:
    """One lease table. Every method raises LedgerUnreachable."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        """`name` is also the name of the KCL application."""
        self._client = client
        self.name = name

    def look(self) -> TableState:
        """Its state now. Raises ForeignTable."""
        try:
            table = self._client.describe_table(TableName=self.name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return Missing()
            raise self._unreachable(error) from error
        except BotoCoreError as error:
            raise self._unreachable(error) from error
        return state_of(table)

    def make(self) -> None:
        """Create it with its index, unless somebody else was faster."""
        try:
            self._client.create_table(
                TableName=self.name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=_attributes(),
                KeySchema=[{"AttributeName": LEASE_KEY, "KeyType": "HASH"}],
                GlobalSecondaryIndexes=[_owner_index()],
            )
        except (ClientError, BotoCoreError) as error:
            self._allow(error, "ResourceInUseException")

    def add_index(self) -> None:
        """Add the index to a table without it, unless somebody else was faster."""
        self._change_index({"Create": _owner_index()})

    def drop_index(self) -> None:
        """Remove the index, to add it again."""
        self._change_index({"Delete": {"IndexName": OWNER_INDEX}})

    def is_empty(self) -> bool:
        """Does it hold no lease, not even another worker's?"""
        try:
            return not self._client.scan(TableName=self.name, Limit=1, ConsistentRead=True)["Items"]
        except (ClientError, BotoCoreError) as error:
            raise self._unreachable(error) from error

    def write(self, leases: Sequence[FirstLease]) -> bool:
        """Write all of them, or none and return False where one is there already.

        A part of them would be worse than none: KCL lists the shards of a table with leases only
        minutes later.
        """
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self.name,
                            "Item": lease_row(lease),
                            # Holds unless another worker, or its daemon, wrote this lease.
                            "ConditionExpression": f"attribute_not_exists({LEASE_KEY})",
                        }
                    }
                    for lease in leases
                ]
            )
        except (ClientError, BotoCoreError) as error:
            self._allow(error, "TransactionCanceledException")
            return False
        return True

    def _change_index(self, update: "GlobalSecondaryIndexUpdateTypeDef") -> None:
        try:
            self._client.update_table(
                TableName=self.name,
                AttributeDefinitions=_attributes(),
                GlobalSecondaryIndexUpdates=[update],
            )
        except (ClientError, BotoCoreError) as error:
            self._allow(error, "ResourceInUseException")

    def _allow(self, error: ClientError | BotoCoreError, code: str) -> None:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == code:
            return
        raise self._unreachable(error) from error

    def _unreachable(self, error: ClientError | BotoCoreError) -> LedgerUnreachable:
        endpoint = self._client.meta.endpoint_url
        return LedgerUnreachable(
            f"the lease table {self.name} at {endpoint} did not take a call: {error}",
            hint=hint_of(error),
        )


def state_of(table: "TableDescriptionTypeDef") -> TableState:
    """The state of a table that exists. Raises ForeignTable."""
    name, keys = table["TableName"], [key["AttributeName"] for key in table["KeySchema"]]
    if keys != [LEASE_KEY]:
        raise ForeignTable(
            f"The table {name} is no lease table of KCL: its key is {' and '.join(keys)}, not "
            f"{LEASE_KEY}; set ORDERS_LEASE_TABLE to a name that nothing else uses."
        )
    if table["TableStatus"] not in _USABLE:
        return BeingMade(f"the lease table {name} is {table['TableStatus']}")
    indexes = table.get("GlobalSecondaryIndexes", [])
    index = next((one for one in indexes if one.get("IndexName") == OWNER_INDEX), None)
    if index is None:
        return WithoutIndex()
    status = index.get("IndexStatus")
    if status is None:
        return IndexOfNoStatus()
    if status != "ACTIVE":
        return BeingMade(f"the index {OWNER_INDEX} of the lease table {name} is {status}")
    return Usable()


def _attributes() -> "list[AttributeDefinitionTypeDef]":
    return [{"AttributeName": name, "AttributeType": "S"} for name in (LEASE_KEY, "leaseOwner")]


def _owner_index() -> "CreateGlobalSecondaryIndexActionTypeDef":
    return {
        "IndexName": OWNER_INDEX,
        "KeySchema": [
            {"AttributeName": "leaseOwner", "KeyType": "HASH"},
            {"AttributeName": LEASE_KEY, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
