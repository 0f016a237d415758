"""Which values do the settings take that are more than a number or a word?"""

import re
from enum import StrEnum
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from consumer.adapters.api_url import parse_api_url
from orders.rate import RateError, parse_rate

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
    """The URL as it is, if an order can be PUT to it. Raises ApiUrlUnusable."""
    parse_api_url(value)
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
