"""The request target of an order: the path of ORDERS_API_URL with its placeholders filled in."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic import BaseModel, StrictStr

from consumer.delivery.attempts import OrderRequest

ORDER_ID, CUSTOMER_ID, UPLOAD = "{order_id}", "{customer_id}", "{upload}"
PLACEHOLDERS = (ORDER_ID, CUSTOMER_ID, UPLOAD)
CUSTOMER_ID_CHARACTERS = 256
"""More are not sent: a target of many kilobytes is refused by every server, unread."""

_SPLIT = re.compile("(" + "|".join(map(re.escape, PLACEHOLDERS)) + ")")


class _Customer(BaseModel):
    customer_id: StrictStr


@dataclass(frozen=True, slots=True)
class NoTarget:
    """This order can be sent nowhere; `reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """Request targets by a template, whose other characters are kept as they are.

    Nothing is normalised afterwards: an id `a/../b` stays one path segment.
    """

    template: str
    _pieces: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Split the template once, not for each order."""
        object.__setattr__(self, "_pieces", tuple(_SPLIT.split(self.template)))

    @property
    def names_the_order(self) -> bool:
        """Does each order have a target of its own?"""
        return ORDER_ID in self._pieces

    def of(self, order: OrderRequest) -> str | NoTarget:
        """The order's request target, each value percent-encoded whole."""
        match self._pieces:
            case (before, "{order_id}", after):  # the usual one, in half of the time
                return f"{before}{_segment(order.order_id)}{after}"
            case pieces:
                return self._filled(list(pieces), order)

    @staticmethod
    def _filled(pieces: list[str], order: OrderRequest) -> str | NoTarget:
        for place in range(1, len(pieces), 2):
            match pieces[place]:
                case "{order_id}":
                    value = order.order_id
                case "{upload}":
                    value = order.upload
                case _:
                    found = _customer_id(order.body)
                    if isinstance(found, NoTarget):
                        return found
                    value = found
            pieces[place] = _segment(value)
        return "".join(pieces)


def _segment(value: str) -> str:
    return quote(value, safe="", errors="surrogatepass")


def _customer_id(body: bytes) -> str | NoTarget:
    try:
        found = _Customer.model_validate_json(body).customer_id
    except ValueError:
        found = ""
    if not found:
        return NoTarget("the order has no customer_id, which the API's address needs")
    if found in {".", ".."}:
        return NoTarget(f"its customer_id is {found!r}, which would change the API's address")
    if len(found) > CUSTOMER_ID_CHARACTERS:
        return NoTarget(f"its customer_id has more than {CUSTOMER_ID_CHARACTERS} characters")
    return found
