"""How is a small item read and written as a whole, by compare-and-set on its revision?

Its value travels as one JSON text: reading and writing it costs little, and floats come back
exactly.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

from ledger.dynamodb.readable import names_its_row
from ledger.dynamodb.schema import key, n, s, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.dynamodb.table import Table

Value = TypeVar("Value")


def read_json(table: Table, name: str, parse: Callable[[str], Value]) -> Value | None:
    """The value of the item of this name, None where there is none."""
    item = table.get(key(name, name))
    return names_its_row(lambda found: parse(text(found, "value")))(item) if item else None


def swap_json(table: Table, name: str, value: str, *, seen: int, revision: int) -> bool:
    """Write the JSON text with its revision, if the revision seen still stands (0: no item)."""
    writer = token_hex(8)
    item = key(name, name) | {"value": s(value), "revision": n(revision), "writer": s(writer)}
    if seen:
        # revision holds while nobody has written since the value was read.
        failed = table.put(item, condition="revision = :seen", seen={":seen": n(seen)})
    else:
        # attribute_not_exists: it is the first one ever.
        failed = table.put(item, condition="attribute_not_exists(pk)")
    if failed is None:
        return True
    # Where the answer was lost, botocore's second try of this very write is refused by its first.
    return failed.item is not None and text(failed.item, "writer") == writer
