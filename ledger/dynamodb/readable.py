"""What becomes of a row that stands in the table and cannot be read?"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar

from ledger.dynamodb.schema import text
from ledger.errors import row_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.dynamodb.schema import Item

Value = TypeVar("Value")


def names_its_row(parse: Callable[[Item], Value]) -> Callable[[Item], Value]:
    """Let a reader of items raise RowUnreadable, which names the row.

    A newer release may have written it, or a person. That is trouble to tell of; it must not end
    the process that looks.
    """

    @wraps(parse)
    def read(item: Item) -> Value:
        try:
            return parse(item)
        except (ValueError, TypeError, LookupError) as error:  # pydantic's are ValueErrors
            raise row_unreadable(text(item, "pk"), text(item, "sk"), error) from error

    return read
