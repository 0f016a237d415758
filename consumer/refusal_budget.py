"""The setting ORDERS_REFUSAL_BUDGET as a value."""

import re
from typing import NamedTuple

PERCENT_MAX = 100
_BUDGET = re.compile(r"([0-9]{1,9}),([0-9]{1,3}(?:\.[0-9]{1,3})?)%", re.ASCII)


class RefusalBudget(NamedTuple):
    """More than `orders` AND more than `percent` of the last orders refused: sending is blocked."""

    orders: int
    percent: float


def parse_refusal_budget(text: str) -> RefusalBudget:
    """Parse `ORDERS,PERCENT%`. Raises ValueError with the grammar."""
    found = _BUDGET.fullmatch(text.replace(" ", ""))
    if found is None or float(found[2]) > PERCENT_MAX:
        raise ValueError(f"{text!r} is no budget; write ORDERS,PERCENT%, for example 20,5%")
    return RefusalBudget(int(found[1]), float(found[2]))
