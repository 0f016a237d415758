import json
from decimal import Decimal
from typing import Any

import pytest

from orders.envelope import order_id_of
from orders.order import (
    NotAnOrder,
    Order,
    check_line,
    check_unusual_line,
    looks_unusual,
    reason_of,
)

GOOD: dict[str, Any] = {
    "order_id": "A-1",
    "customer_id": "C",
    "sku": "S",
    "quantity": 3,
    "unit_price": "9.99",
    "currency": "EUR",
}


def read(line: bytes) -> Order:
    """As a file's reader checks a line."""
    return check_unusual_line(line) if looks_unusual(line) else check_line(line)


def line_with(**fields: object) -> bytes:
    return json.dumps(GOOD | fields, ensure_ascii=False).encode()


def why_not(line: bytes) -> str:
    with pytest.raises(NotAnOrder) as caught:
        read(line)
    return reason_of(caught.value)


def test_an_order_has_its_fields_and_ignores_others() -> None:
    order = read(line_with(placed_at="2026-03-01T09:30:00+02:00", colour="red", more={"a": [1]}))

    assert order.order_id == "A-1"
    assert order.unit_price == Decimal("9.99")
    assert order.placed_at is not None
    assert order.placed_at.isoformat() == "2026-03-01T09:30:00+02:00"


@pytest.mark.parametrize(
    "order_id", ["a", "...", ". a", "a.", "a b", "ünï 日本 😀", "a/b?c#d%", "x" * 128, "-", "a..b"]
)
def test_an_order_id_is_1_to_128_printable_characters(order_id: str) -> None:
    assert read(line_with(order_id=order_id)).order_id == order_id


@pytest.mark.parametrize(
    "order_id", ["", ".", "..", " a", "a ", "a\tb", "a\nb", "\u00a0", "a\u2028b", "a\u200bb", "\0"]
)
def test_an_order_id_that_would_not_survive_a_path_is_invalid(order_id: str) -> None:
    assert why_not(line_with(order_id=order_id)) == (
        "order_id: must be 1 to 128 printable characters, "
        "without a space at either end, and not . or .."
    )


def test_an_order_id_is_not_longer_than_128() -> None:
    assert why_not(line_with(order_id="x" * 129)) == (
        "order_id: String should have at most 128 characters"
    )


@pytest.mark.parametrize("price", ["0", "0.0001", "9.9", "999999999999999.9999", 0, 7, 9.5, 0.0001])
def test_a_price_is_a_plain_decimal_as_number_or_string(price: object) -> None:
    assert read(line_with(unit_price=price)).unit_price == Decimal(str(price))


STRANGE_STRINGS = ("1.23456", "-1", "1e2", " 1", "1_0", "٣", "", "NaN", ".5", "5.")
STRANGE_NUMBERS = ("1.23456", "-1", "-0", "1e2", "1E+2", "15e-1", "1.00000", "1e400")
LONG_NUMBERS = ("1.00000000000000000001", "1234567890123456")


@pytest.mark.parametrize(
    "price", [*(f'"{text}"' for text in STRANGE_STRINGS), *STRANGE_NUMBERS, *LONG_NUMBERS]
)
def test_any_other_price_is_invalid(price: str) -> None:
    line = line_with(unit_price="?").replace(b'"?"', price.encode())

    assert "must be a plain decimal of 0 or more with at most 4 decimals" in why_not(line)


@pytest.mark.parametrize("price", ["null", "true", "[1]", "{}"])
def test_a_price_is_a_number_or_a_string(price: str) -> None:
    line = line_with(unit_price="?").replace(b'"?"', price.encode())

    assert why_not(line) == "unit_price: must be a number or a string"


def test_an_exponent_is_found_after_an_escaped_name() -> None:
    line = line_with(unit_price=1).replace(b'"unit_price": 1', b'"\\u0075nit_price": 1e2')

    assert "plain decimal" in why_not(line)


def test_an_exponent_in_another_field_is_harmless() -> None:
    assert read(line_with(weights={"unit_price": "?"}).replace(b'"?"', b"1e2")).quantity == 3


@pytest.mark.parametrize("quantity", [0, 1_000_001, -1, 1.0, "1", True, None])
def test_a_quantity_is_a_whole_number_from_1_to_a_million(quantity: object) -> None:
    assert why_not(line_with(quantity=quantity)).startswith("quantity: Input should be")


@pytest.mark.parametrize("currency", ["eur", "EURO", "EU", "", "ÄÖÜ", "EUR\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    assert why_not(line_with(currency=currency)) == "currency: must be three capital letters"


@pytest.mark.parametrize("placed_at", ["1700000000", 1700000000, "yesterday", "", True])
def test_a_time_is_written_as_a_date_time(placed_at: object) -> None:
    assert why_not(line_with(placed_at=placed_at)) == (
        "placed_at: must be a date-time with offset, as in 2026-03-01T09:30:00Z"
    )


@pytest.mark.parametrize("placed_at", ["2026-03-01T09:30:00", "2026-03-01", "2026-13-01T09:30:00Z"])
def test_a_time_is_real_and_has_an_offset(placed_at: str) -> None:
    assert why_not(line_with(placed_at=placed_at)).startswith("placed_at: Input should")


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_constants_outside_json_are_refused_even_in_an_ignored_field(name: str) -> None:
    line = line_with(note="?").replace(b'"?"', name.encode())

    assert why_not(line) == f"{name} is not JSON"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "Invalid JSON: EOF while parsing an object at column 1"),
        (b"[]", "Input should be an object"),
        (b"\xff", "Invalid JSON: expected value at column 1"),
        (b'{"note":"\xff"}', "Invalid JSON: invalid unicode code point at column 10"),
        (b"{} {}", "Invalid JSON: trailing characters at column 4"),
        (b"{}", "order_id: Field required; customer_id: Field required; and 4 more"),
    ],
)
def test_the_reason_names_the_first_two_problems(line: bytes, reason: str) -> None:
    assert why_not(line) == reason


def test_the_order_id_of_a_body_is_the_one_that_was_checked() -> None:
    twice = line_with().replace(b"{", b'{"order_id":"first",', 1)

    assert order_id_of(twice) == read(twice).order_id == "A-1"


def test_a_body_that_a_later_release_would_refuse_still_has_its_order_id() -> None:
    assert order_id_of(b'{"order_id":"A-1","quantity":0}') == "A-1"
