"""Conditional writes, as DynamoDB takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict

from ledger.dynamodb.row import Row, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef

    from ledger.dynamodb.row import Item


class Condition(TypedDict, total=False):
    """When a write takes effect, as DynamoDB takes it."""

    ConditionExpression: str
    ExpressionAttributeNames: dict[str, str]
    ExpressionAttributeValues: Item


@dataclass(frozen=True, slots=True)
class ConditionFailed:
    """The condition of a write did not hold. `row` is the current one, None if there is none."""

    row: Row | None


@dataclass(frozen=True, slots=True)
class Change:
    """Attributes to set on one row, and when.

    condition: refers to attributes by name (`#state` for names that DynamoDB reserves) and to
        values by `:name`, which are in `attributes` or `seen`.
    """

    key: Row
    attributes: Row
    condition: str
    seen: Row = field(default_factory=dict)

    def request(self, table: str, *, refusal: Literal["ALL_OLD", "NONE"] = "NONE") -> UpdateTypeDef:
        """The update as DynamoDB takes it; every name is escaped.

        refusal: what DynamoDB returns of the row if the condition does not hold.
        """
        condition = conditional(self.condition, self.attributes | self.seen)
        names = condition.setdefault("ExpressionAttributeNames", {})
        names.update({f"#{name}": name for name in self.attributes})
        return {
            **condition,
            "TableName": table,
            "Key": to_item(self.key),
            "UpdateExpression": "SET " + ", ".join(f"#{n} = :{n}" for n in self.attributes),
            "ReturnValuesOnConditionCheckFailure": refusal,
        }


def conditional(condition: str, seen: Row) -> Condition:
    """A condition with the names and values that it refers to; DynamoDB takes no empty ones."""
    request: Condition = {"ConditionExpression": condition}
    if names := re.findall(r"#(\w+)", condition):
        request["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    if seen:
        request["ExpressionAttributeValues"] = to_item({f":{n}": v for n, v in seen.items()})
    return request
