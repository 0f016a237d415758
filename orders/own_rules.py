"""Rules for orders of one's own, around the check of one line."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BeforeValidator

from orders.order import (
    OrderIdText,
    not_an_order,
    refuse_constant,
)
from orders.order_rules import Checked, OrderRules


def _text_of_integer(value: object) -> object:
    return str(value) if type(value) is int else value


def _text_of_integer_only(value: object) -> str:
    if type(value) is not int:
        raise ValueError("must be a whole number")
    return str(value)


AnyOrderId = Annotated[OrderIdText, BeforeValidator(_text_of_integer)]
"""An order id that is a string or an integer in JSON; a string in either case here."""

IntegerOrderId = Annotated[OrderIdText, BeforeValidator(_text_of_integer_only)]
"""An order id that is an integer in JSON, as a string."""


@dataclass(frozen=True, slots=True)
class OwnFields:
    """The fields of an order: all names, the required ones, and what OrderRules says of CSV."""

    names: tuple[str, ...]
    required: tuple[str, ...]
    numbers: Mapping[str, Callable[[str], object]]
    columns: Mapping[str, str] = field(default_factory=dict)


def own_rules(check: Callable[[bytes], Checked], fields: OwnFields) -> OrderRules:
    """Rules by this check, which raises NotAnOrder.

    What pydantic takes beyond strict JSON, NaN and Infinity, is no order whatever the check says.
    """

    def check_unusual_line(line: bytes) -> Checked:
        checked = check(line)
        try:
            json.loads(line, parse_int=str, parse_float=str, parse_constant=refuse_constant)
        except ValueError as error:
            raise not_an_order(error) from error
        return checked

    return OrderRules(
        check_line=check,
        check_unusual_line=check_unusual_line,
        looks_unusual=lambda text: b"NaN" in text or b"Infinity" in text,
        fields=fields.names,
        required=fields.required,
        columns=fields.columns,
        numbers=fields.numbers,
    )
