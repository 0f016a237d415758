"""Which requests does the API take, and which order does each name?"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from consumer.adapters.batch_answer import ResultNames

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PATH = "/orders/{order_id}"
METHOD = "PUT"
KEY_HEADER = "Idempotency-Key"
ID_FIELD = "order_id"


@dataclass(frozen=True, slots=True)
class OrdersNamed:
    """Which order a request names, if any, or which orders of a batch."""

    order_id: str | None
    batch: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TakenRequests:
    """One method and one path, whose placeholders stand for one segment's part each.

    results: how it answers for each order of a batch; None: with one status for all of them.
    id_field: where an order in the body has its id.
    """

    method: str = METHOD
    path: str = PATH
    key_header: str = KEY_HEADER
    results: ResultNames | None = None
    id_field: str = ID_FIELD
    _pattern: "re.Pattern[str]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the pattern once, not for each request."""
        literal, *rest = _PLACEHOLDER.split(self.path.partition("?")[0])
        pattern = re.escape(literal)
        for name, after in zip(rest[::2], rest[1::2], strict=True):
            pattern += f"(?P<{name}>[^/]+){re.escape(after)}"
        object.__setattr__(self, "_pattern", re.compile(pattern))

    @property
    def names_the_order(self) -> bool:
        """Does the path name the order, so that the body need not be read?"""
        return "order_id" in self._pattern.groupindex

    def is_at(self, target: str) -> bool:
        """Is this the path that it takes requests at?"""
        return self._pattern.fullmatch(target.partition("?")[0]) is not None

    def order_id_in(self, target: str) -> str | None:
        """The order id in a target as received, percent-decoded; None where it names none."""
        found = self._pattern.fullmatch(target.partition("?")[0])
        segment = found and found.groupdict().get("order_id")
        return unquote_to_bytes(segment).decode(errors="replace") if segment else None

    def orders_of(self, target: str, body: bytes | bytearray) -> OrdersNamed:
        """The order in a target; where the path has no order id, the body's own, wrapped or not.

        A batch is a JSON array, or several lines; where it is answered for each order, any body.
        """
        if self.names_the_order or not self.is_at(target):
            return OrdersNamed(self.order_id_in(target))
        try:
            content: object = json.loads(body)
        except (ValueError, RecursionError):
            content = _lines_of(body)
        if isinstance(content, dict) and self.results:
            content = [content]
        if isinstance(content, list):
            return OrdersNamed(None, tuple(self._id_of(order) or "" for order in content))
        return OrdersNamed(self._id_of(content))

    def _id_of(self, content: object) -> str | None:
        fields = content if isinstance(content, dict) else {}
        for order in (fields, *fields.values()):
            found = order.get(self.id_field) if isinstance(order, dict) else None
            if isinstance(found, str | int) and not isinstance(found, bool):
                return str(found)
        return None


def _lines_of(body: bytes | bytearray) -> list[object] | None:
    try:
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
