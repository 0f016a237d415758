"""Which values do the settings take that are more than a number or a word?"""

import re
from enum import StrEnum
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from orders.rate import RateError, parse_rate

ORDER_ID_FIELD = "{order_id}"
PERCENT_MAX = 100
_BUDGET = re.compile(r"([0-9]{1,9}),([0-9]{1,3}(?:\.[0-9]{1,3})?)%", re.ASCII)


class Conflict(StrEnum):
    """What a 409 of the API says about an order."""

    RETRIED = "retried"
    """Accepted if an earlier attempt may have got through, else refused."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class RefusalBudget(NamedTuple):
    """More than `orders` AND more than `percent` of the last orders refused: sending is blocked."""

    orders: int
    percent: float


def read_rate(value: object) -> object:
    """The pace that a text means. Raises ValueError with the grammar."""
    if not isinstance(value, str):
        return value
    try:
        return parse_rate(value)
    except RateError as error:
        raise ValueError(str(error)) from error


def read_refusal_budget(value: object) -> object:
    """The budget that a text means. Raises ValueError with the grammar."""
    if not isinstance(value, str):
        return value
    found = _BUDGET.fullmatch(value.replace(" ", ""))
    if found is None or float(found[2]) > PERCENT_MAX:
        raise ValueError(f"{value!r} is no budget; write ORDERS,PERCENT%, for example 20,5%")
    return RefusalBudget(int(found[1]), float(found[2]))


def check_api_url(value: str) -> str:
    """The address as it is, if an order can be PUT to it. Raises ValueError."""
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError(f"{value!r} is no http(s) address with a host")
    if url.username or url.password:
        raise ValueError("a credential does not belong into the address; set ORDERS_API_TOKEN")
    if value.count(ORDER_ID_FIELD) != 1 or ORDER_ID_FIELD not in url.path:
        raise ValueError(f"{value!r} must hold {ORDER_ID_FIELD} once, in its path")
    return value


def is_on_this_machine(url: str) -> bool:
    """Does the address name this very machine?"""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
