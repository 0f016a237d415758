"""How is the ledger's table called?"""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import randbelow
from time import sleep
from typing import TYPE_CHECKING, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from ledger.dynamodb.schema import LISTING
from ledger.dynamodb.unreachable import unreachable
from ledger.errors import LedgerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        KeysAndAttributesTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemTypeDef,
        UpdateItemInputTypeDef,
    )

    from ledger.dynamodb.schema import Item

Answer = TypeVar("Answer")

BATCH_ITEMS = 100
"""DynamoDB takes no more keys in one BatchGetItem."""
BATCH_TRIES = 8
_JITTER_MILLISECONDS = 10

# Why a transaction may be cancelled with nothing wrong: somebody else changed one of its items.
_COMES_TO_NOTHING = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})


@dataclass(frozen=True, slots=True)
class ConditionFailed:
    """The condition of a write did not hold. `item` is what stands there, None for nothing."""

    item: Item | None


@dataclass(frozen=True, slots=True)
class Change:
    """Attributes to set on one item, and when.

    condition: speaks of attributes by name (`#state` for names that DynamoDB reserves) and of
        values by `:name`, which stand in `seen`.
    """

    key: Item
    attributes: Item
    condition: str
    seen: Item = field(default_factory=dict)

    @property
    def expression(self) -> str:
        """What to set; every name is escaped."""
        return "SET " + ", ".join(f"#{name} = :{name}" for name in self.attributes)

    @property
    def names(self) -> dict[str, str]:
        """The escaped names."""
        names = {f"#{name}": name for name in self.attributes}
        return names | {"#state": "state"} if "#state" in self.condition else names

    @property
    def values(self) -> Item:
        """The values to set and those of the condition."""
        return {f":{name}": value for name, value in self.attributes.items()} | self.seen


class Table:
    """One DynamoDB table; any thread may call it. Every method raises LedgerUnreachable."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self.name = name

    def get(self, key: Item) -> Item | None:
        """Read one item, consistently."""
        found = self._call(
            lambda: self._client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        )
        return found.get("Item")

    def get_many(self, keys: Sequence[Item]) -> Iterator[Item]:
        """Read the items that are there, consistently, BATCH_ITEMS a call, in no order."""
        for start in range(0, len(keys), BATCH_ITEMS):
            wanted = keys[start : start + BATCH_ITEMS]
            for attempt in range(BATCH_TRIES):
                if attempt:
                    sleep(randbelow(_JITTER_MILLISECONDS << attempt) / 1_000)
                items, wanted = self._get_batch(wanted)
                yield from items
                if not wanted:
                    break
            else:
                raise LedgerUnreachable(
                    f"the table {self.name} left out items of a batch {BATCH_TRIES} times",
                    hint="it takes no more for now: try again, or raise the account's limits",
                )

    def _get_batch(self, keys: Sequence[Item]) -> tuple[list[Item], Sequence[Item]]:
        """The items that were answered, and the keys that must be asked for again."""
        request: KeysAndAttributesTypeDef = {"Keys": keys, "ConsistentRead": True}
        found = self._call(lambda: self._client.batch_get_item(RequestItems={self.name: request}))
        left = found.get("UnprocessedKeys", {}).get(self.name)
        return found["Responses"].get(self.name, []), left["Keys"] if left else []

    def put(
        self, item: Item, *, condition: str, seen: Item | None = None
    ) -> ConditionFailed | None:
        """Write a whole item, if the condition holds."""
        request: PutItemInputTypeDef = {
            "TableName": self.name,
            "Item": item,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if seen:
            request["ExpressionAttributeValues"] = seen
        return self._write(lambda: self._client.put_item(**request))

    def update(self, request: UpdateItemInputTypeDef) -> ConditionFailed | None:
        """Send an update as it is; for the write that must cost little."""
        return self._write(lambda: self._client.update_item(**request))

    def change(self, change: Change) -> Item | ConditionFailed:
        """Set attributes of an item, if the condition holds; returns the item as it then is."""
        changed: Item = {}

        def call() -> None:
            answer = self._client.update_item(
                TableName=self.name,
                Key=change.key,
                UpdateExpression=change.expression,
                ConditionExpression=change.condition,
                ExpressionAttributeNames=change.names,
                ExpressionAttributeValues=change.values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            changed.update(answer["Attributes"])

        return self._write(call) or changed

    def delete(self, key: Item, *, condition: str, seen: Item) -> ConditionFailed | None:
        """Delete an item, if the condition holds."""
        return self._write(
            lambda: self._client.delete_item(
                TableName=self.name,
                Key=key,
                ConditionExpression=condition,
                ExpressionAttributeValues=seen,
            )
        )

    def transact(self, writes: Sequence[TransactWriteItemTypeDef]) -> bool:
        """Do all the writes or none. False: a condition failed, or another transaction was there.

        botocore gives the call a token, so that its own retries do the writes once.
        """
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", [])
            if {reason.get("Code") for reason in reasons} <= _COMES_TO_NOTHING:
                return False
            raise self._unreachable(error) from error
        except (BotoCoreError, ClientError) as error:
            raise self._unreachable(error) from error
        return True

    def partition(self, pk: str, *, begins_with: str = "") -> Iterator[Item]:
        """The items of one partition in the order of their sort keys, read consistently."""
        condition = "pk = :pk"
        values: Item = {":pk": {"S": pk}}
        if begins_with:
            condition += " AND begins_with(sk, :begin)"
            values[":begin"] = {"S": begins_with}
        yield from self._pages(
            {
                "TableName": self.name,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
                "ConsistentRead": True,
            }
        )

    def listed(self, listing: str, *, since: str = "") -> Iterator[Item]:
        """What the index has under a listing, newest first; a moment old."""
        condition = "listing = :listing"
        values: Item = {":listing": {"S": listing}}
        if since:
            condition += " AND listed_at >= :since"
            values[":since"] = {"S": since}
        yield from self._pages(
            {
                "TableName": self.name,
                "IndexName": LISTING,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
                "ScanIndexForward": False,
            }
        )

    def _pages(self, request: QueryInputTypeDef) -> Iterator[Item]:
        while True:
            page = self._call(lambda: self._client.query(**request))
            yield from page["Items"]
            following = page.get("LastEvaluatedKey")
            if not following:
                return
            request["ExclusiveStartKey"] = following

    def _write(self, call: Callable[[], object]) -> ConditionFailed | None:
        try:
            call()
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return ConditionFailed(cast("Item | None", error.response.get("Item")))
        except (BotoCoreError, ClientError) as error:
            raise self._unreachable(error) from error
        return None

    def _call(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except (BotoCoreError, ClientError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: BotoCoreError | ClientError) -> LedgerUnreachable:
        return unreachable(error, table=self.name, endpoint=self._client.meta.endpoint_url)


class OnTable:
    """A part of the ledger, kept in a table that it shares with the other parts."""

    def __init__(self, table: Table) -> None:
        self._table = table
