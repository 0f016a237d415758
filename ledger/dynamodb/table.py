"""The calls of the ledger's table."""

from __future__ import annotations

from itertools import count
from secrets import randbelow
from time import sleep
from typing import TYPE_CHECKING, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from ledger.dynamodb.conditional import ConditionFailed, conditional
from ledger.dynamodb.row import from_item, to_item
from ledger.dynamodb.schema import LISTING
from ledger.dynamodb.unreachable import unreachable
from ledger.errors import LedgerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        KeysAndAttributesTypeDef,
        QueryInputTypeDef,
        TransactWriteItemTypeDef,
    )

    from ledger.dynamodb.conditional import Change
    from ledger.dynamodb.row import Item, Row

Answer = TypeVar("Answer")

BATCH_ITEMS = 100
"""DynamoDB takes no more keys in one BatchGetItem."""
BATCH_TRIES = 8
_JITTER_MILLISECONDS = 10

# Why a transaction may be cancelled with nothing wrong: somebody else changed one of its items.
_LOST_RACES = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})


class Table:
    """One DynamoDB table; any thread may call it. Every method raises LedgerUnreachable."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self.name = name

    def get(self, key: Row) -> Row | None:
        """Read one row, consistently."""
        found = self._call(
            lambda: self._client.get_item(
                TableName=self.name, Key=to_item(key), ConsistentRead=True
            )
        )
        return from_item(found["Item"]) if "Item" in found else None

    def get_many(self, keys: Iterable[Row]) -> Iterator[Row]:
        """Read the rows that exist, consistently, BATCH_ITEMS a call, in no order."""
        items = [to_item(key) for key in keys]
        for start in range(0, len(items), BATCH_ITEMS):
            wanted: Sequence[Item] = items[start : start + BATCH_ITEMS]
            for attempt in range(BATCH_TRIES):
                if attempt:
                    sleep(randbelow(_JITTER_MILLISECONDS << attempt) / 1_000)
                found, wanted = self._get_batch(wanted)
                yield from map(from_item, found)
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

    def add(self, row: Row) -> ConditionFailed | None:
        """Write a whole row where there is none."""
        return self.put(row, condition="attribute_not_exists(pk)", seen={})

    def put(self, row: Row, *, condition: str, seen: Row) -> ConditionFailed | None:
        """Write a whole row, if the condition holds."""
        return self._write(
            lambda: self._client.put_item(
                TableName=self.name,
                Item=to_item(row),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **conditional(condition, seen),
            )
        )

    def write(self, change: Change) -> ConditionFailed | None:
        """Set attributes of a row, if the condition holds."""
        return self._write(
            lambda: self._client.update_item(**change.request(self.name, refusal="ALL_OLD"))
        )

    def change(self, change: Change) -> Row | ConditionFailed:
        """Set attributes of a row, if the condition holds; returns the row after that."""
        changed: Row = {}

        def call() -> None:
            answer = self._client.update_item(
                **change.request(self.name, refusal="ALL_OLD"), ReturnValues="ALL_NEW"
            )
            changed.update(from_item(answer["Attributes"]))

        return self._write(call) or changed

    def delete(self, key: Row, *, condition: str, seen: Row) -> None:
        """Delete a row, if the condition holds."""
        self._write(
            lambda: self._client.delete_item(
                TableName=self.name, Key=to_item(key), **conditional(condition, seen)
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
            if {reason.get("Code") for reason in reasons} <= _LOST_RACES:
                return False
            raise self._unreachable(error) from error
        except (BotoCoreError, ClientError) as error:
            raise self._unreachable(error) from error
        return True

    def partition(self, pk: str, *, begins_with: str = "") -> Iterator[Row]:
        """The rows of one partition in the order of their sort keys, read consistently."""
        condition, values = "pk = :pk", {":pk": pk}
        if begins_with:
            condition += " AND begins_with(sk, :begin)"
            values[":begin"] = begins_with
        return self._pages(
            {
                "TableName": self.name,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": to_item(values),
                "ConsistentRead": True,
            }
        )

    def listed(self, listing: str, *, since: str = "") -> Iterator[Row]:
        """The entries of the index under a listing, newest first; they lag by a moment."""
        condition, values = "listing = :listing", {":listing": listing}
        if since:
            condition += " AND listed_at >= :since"
            values[":since"] = since
        return self._pages(
            {
                "TableName": self.name,
                "IndexName": LISTING,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": to_item(values),
                "ScanIndexForward": False,
            }
        )

    def _pages(self, request: QueryInputTypeDef) -> Iterator[Row]:
        while True:
            page = self._call(lambda: self._client.query(**request))
            yield from map(from_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, call: Callable[[], object]) -> ConditionFailed | None:
        for attempt in count(1):
            try:
                call()
            except self._client.exceptions.ConditionalCheckFailedException as error:
                item = cast("Item | None", error.response.get("Item"))
                return ConditionFailed(from_item(item) if item else None)
            except self._client.exceptions.TransactionConflictException as error:
                # A transaction was changing the row; this write did nothing.
                if attempt == BATCH_TRIES:
                    raise self._unreachable(error) from error
                sleep(randbelow(_JITTER_MILLISECONDS << attempt) / 1_000)
            except (BotoCoreError, ClientError) as error:
                raise self._unreachable(error) from error
            else:
                break
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
