"""The rules by which a line is an order, for readers that take orders of any kind.

ORDINARY is the order of `orders/order.py`; `orders/chosen_rules.py` gives those that settings name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final, Protocol

from orders.order import (
    ORDER_FIELDS,
    REQUIRED_FIELDS,
    WHOLE_NUMBER_FIELDS,
    check_line,
    check_unusual_line,
    looks_unusual,
)

_WHOLE_NUMBER_DIGITS = 18


class Checked(Protocol):
    """What a check returns: of an order, only its id is used."""

    @property
    def order_id(self) -> str:
        """The order's id, as it goes into the API's address."""
        ...


@dataclass(frozen=True, slots=True)
class OrderRules:
    """How a line is checked, and how a CSV record becomes one.

    check_line: the whole check of a line that does not look unusual; it and check_unusual_line
    raise NotAnOrder. looks_unusual: of a text of many lines.
    fields: the names in JSON; required: those that a CSV file must have. columns: the field
    of a CSV column whose name is another. numbers: how a CSV cell becomes what is no text in JSON;
    what cannot be read so stays text. carries_id: envelopes carry the order's id, because the
    consumer does not know where in the body it stands.
    """

    check_line: Callable[[bytes], Checked]
    check_unusual_line: Callable[[bytes], Checked]
    looks_unusual: Callable[[bytes], bool]
    fields: tuple[str, ...]
    required: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, Callable[[str], object]] = field(default_factory=dict)
    carries_id: bool = True

    def column_of(self, name: str) -> str:
        """The CSV column of a field."""
        return next((column for column, of in self.columns.items() if of == name), name)


def plain_digits(cell: str) -> object:
    """A whole number of 0 or more, else the cell."""
    is_whole = cell.isascii() and cell.isdigit() and len(cell) <= _WHOLE_NUMBER_DIGITS
    return int(cell) if is_whole else cell


def whole_number(cell: str) -> object:
    """A whole number, else the cell."""
    if cell.startswith("-"):
        positive = plain_digits(cell[1:])
        return -positive if isinstance(positive, int) else cell
    return plain_digits(cell)


def exact_number(cell: str) -> object:
    """A number with or without decimals that JSON can hold exactly, else the cell."""
    whole = whole_number(cell)
    if whole is not cell or not cell.isascii() or "_" in cell or cell != cell.strip():
        return whole
    try:
        value = float(cell)
        return value if Decimal(repr(value)) == Decimal(cell) else cell
    except (ValueError, InvalidOperation):
        return cell


def truth(cell: str) -> object:
    """True or false, else the cell."""
    return {"true": True, "false": False}.get(cell.lower(), cell)


ORDINARY: Final = OrderRules(
    check_line=check_line,
    check_unusual_line=check_unusual_line,
    looks_unusual=looks_unusual,
    fields=ORDER_FIELDS,
    required=REQUIRED_FIELDS,
    numbers=dict.fromkeys(WHOLE_NUMBER_FIELDS, plain_digits),
    carries_id=False,
)
