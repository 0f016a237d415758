"""Rows as plain values, and the items that DynamoDB keeps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

from ledger.errors import row_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Attribute

    Item = dict[str, Attribute]

Row = dict[str, object]
"""One row by attribute: text, bytes, numbers, flags, and lists and mappings of these."""

Value = TypeVar("Value")


def to_item(row: Mapping[str, object]) -> Item:
    """The item of a row. Values that are None are left out."""
    return {name: attribute(value) for name, value in row.items() if value is not None}


def attribute(value: object) -> Attribute:
    """One value as DynamoDB takes it. Raises TypeError for a type that no row holds."""
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}  # exact: the 17 digits of a float are read as that float
        case str():
            return {"S": str(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": to_item(value)}
        case Sequence():
            return {"L": [attribute(one) for one in value]}
        case _:
            raise TypeError(f"a row cannot hold {type(value).__name__}")


def from_item(item: Mapping[str, Attribute]) -> Row:
    """The row that an item holds."""
    return {name: _plain(found) for name, found in item.items()}


def _plain(found: Attribute) -> object:
    if "N" in found:
        number = found["N"]
        return int(number) if number.lstrip("-").isdigit() else float(number)
    if "M" in found:
        return from_item(found["M"])
    if "L" in found:
        return [_plain(one) for one in found["L"]]
    if "B" in found:
        return bytes(found["B"])
    return found["S"] if "S" in found else found.get("BOOL")


def names_its_row(parse: Callable[[Row], Value]) -> Callable[[Row], Value]:
    """Make a reader of rows raise RowUnreadable, which names the row.

    A later release may have written the row, or a person. The process that reads it reports that
    and goes on.
    """

    @wraps(parse)
    def read(row: Row) -> Value:
        try:
            return parse(row)
        except (ValueError, TypeError, LookupError) as error:  # pydantic's are ValueErrors
            raise row_unreadable(str(row.get("pk")), str(row.get("sk")), error) from error

    return read
