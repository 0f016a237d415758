"""The order: its fields and their rules.

Orders of another kind need no change here: docs/how-to/own-orders.md. Where this file changes, CSV
follows by itself: its columns are ORDER_FIELDS, and an empty cell of an optional field is left out.

`check_line` is the whole check of a JSON line, except for three rules that pydantic's parser does
not enforce: a price has no exponent and at most four decimals, and NaN or Infinity are not JSON,
even in an ignored field. `looks_unusual` finds the few lines that could break them, many lines at a
time; `check_unusual_line` then decides.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Final

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
)

NotAnOrder = ValidationError
"""A line is not an order; `reason_of` says why."""

_PLAIN_PRICE = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4})?", re.ASCII)

_PLAIN_RULE = "must be a plain decimal of 0 or more with at most 4 decimals"

# Printable characters, no space at either end, and neither "." nor "..", which would change the
# path of the request. E = printable and not a space, N = E without the dot, P = E or a space.
_E, _N, _P = r"[^\p{C}\p{Z}]", r"[^\p{C}\p{Z}.]", r"[[^\p{C}\p{Z}] ]"
_ORDER_ID = rf"^(?:{_N}|{_N}{_E}|{_E}{_N}|{_E}{_P}+{_E})$"
_CURRENCY = r"^[A-Z]{3}$"

OrderIdText = Annotated[str, Field(max_length=128, pattern=_ORDER_ID)]
"""An order id that survives the path of a request."""


def _read_price(value: object) -> Decimal:
    """A price: 0 or more, plain digits, at most four decimals; a JSON number or a string."""
    if type(value) is str:
        text = value
    elif type(value) is float or type(value) is int:
        text = repr(value)
    else:
        raise ValueError("must be a number or a string")
    if _PLAIN_PRICE.fullmatch(text) is None:
        raise ValueError(_PLAIN_RULE)
    return Decimal(text)


def require_date_text(value: object) -> object:
    """Reject what pydantic would take for seconds since 1970."""
    if type(value) is not str or value[4:5] != "-":
        raise ValueError("must be a date-time with offset, as in 2026-03-01T09:30:00Z")
    return value


class Order(BaseModel):
    """One order; other fields are ignored and pass through."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    order_id: OrderIdText
    customer_id: Annotated[str, Field(min_length=1)]
    sku: Annotated[str, Field(min_length=1)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    unit_price: Annotated[Decimal, PlainValidator(_read_price)]
    currency: Annotated[str, Field(pattern=_CURRENCY)]
    placed_at: Annotated[AwareDatetime, BeforeValidator(require_date_text)] | None = None


ORDER_FIELDS: Final = tuple(Order.model_fields)
REQUIRED_FIELDS: Final = tuple(n for n, f in Order.model_fields.items() if f.is_required())
WHOLE_NUMBER_FIELDS: Final = frozenset({"quantity"})
"""CSV columns that become numbers in the body where they hold plain digits."""

check_line: Final[Callable[[bytes], Order]] = Order.__pydantic_validator__.validate_json
"""`Order.model_validate_json` without its wrapper: the order of a JSON line. Raises NotAnOrder."""

_PATTERN_RULES: Final = {
    _ORDER_ID: (
        "must be 1 to 128 printable characters, without a space at either end, and not . or .."
    ),
    _CURRENCY: "must be three capital letters",
}

_UNUSUAL = re.compile(rb'unit_price"\s*:\s*(?:-|[0-9.]*[eE]|[0-9]*\.[0-9]{5})')
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")


class _Token(str):
    """A JSON number as it was written."""

    __slots__ = ()


def looks_unusual(text: bytes) -> bool:
    """Could a line of this text break a rule that `check_line` does not enforce?"""
    return (
        _UNUSUAL.search(text) is not None
        or b"NaN" in text
        or b"Infinity" in text
        or (b"\\" in text and _ESCAPED_ASCII.search(text) is not None)
    )


def check_unusual_line(line: bytes) -> Order:
    """`check_line` with every rule of strict JSON; four times slower. Raises NotAnOrder."""
    order = check_line(line)
    try:
        fields = json.loads(
            line, parse_int=_Token, parse_float=_Token, parse_constant=refuse_constant
        )
        _require_plain(fields["unit_price"])
    except ValueError as error:
        raise not_an_order(error) from error
    return order


def reason_of(error: NotAnOrder) -> str:
    """Why a line is not an order, as a clause for its owner: the first two problems."""
    problems = error.errors(include_url=False, include_input=False)
    clauses = []
    for problem in problems[:2]:
        where = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ").replace(" at line 1 ", " at ")
        if problem["type"] == "string_pattern_mismatch":
            message = _PATTERN_RULES.get(problem["ctx"]["pattern"], message)
        clauses.append(f"{where}: {message}" if where else message)
    more = len(problems) - len(clauses)
    return "; ".join(clauses) + (f"; and {more} more" if more else "")


def refuse_constant(name: str) -> None:
    """A constant that Python's JSON parser takes, and JSON has not. Raises ValueError."""
    raise ValueError(f"{name} is not JSON")


def _require_plain(price: object) -> None:
    if isinstance(price, _Token) and _PLAIN_PRICE.fullmatch(price) is None:
        raise ValueError(f"unit_price {_PLAIN_RULE}")


def not_an_order(error: ValueError) -> NotAnOrder:
    """The same error as that of a line that is not an order."""
    return NotAnOrder.from_exception_data(
        "Order", [{"type": "value_error", "loc": (), "input": None, "ctx": {"error": error}}]
    )
