"""Which requests does the API take, and which order does each name?"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PATH = "/orders/{order_id}"
METHOD = "PUT"
KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class TakenRequests:
    """One method and one path, whose placeholders stand for one segment's part each."""

    method: str = METHOD
    path: str = PATH
    key_header: str = KEY_HEADER
    _pattern: "re.Pattern[str]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the pattern once, not for each request."""
        literal, *rest = _PLACEHOLDER.split(self.path.partition("?")[0])
        pattern = re.escape(literal)
        for name, after in zip(rest[::2], rest[1::2], strict=True):
            pattern += f"(?P<{name}>[^/]+){re.escape(after)}"
        object.__setattr__(self, "_pattern", re.compile(pattern))

    def is_at(self, target: str) -> bool:
        """Is this the path that it takes requests at?"""
        return self._pattern.fullmatch(target.partition("?")[0]) is not None

    def order_id_in(self, target: str) -> str | None:
        """The order id in a target as received, percent-decoded; None where it names none."""
        found = self._pattern.fullmatch(target.partition("?")[0])
        segment = found and found.groupdict().get("order_id")
        return unquote_to_bytes(segment).decode(errors="replace") if segment else None

    def order_id_of(self, target: str, body: bytes | bytearray) -> str | None:
        """As `order_id_in`; where the path has no order id, the body's own, wrapped or not."""
        if "order_id" in self._pattern.groupindex or not self.is_at(target):
            return self.order_id_in(target)
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return None
        fields = content if isinstance(content, dict) else {}
        for order in (fields, *fields.values()):
            if isinstance(order, dict) and isinstance(order.get("order_id"), str):
                return str(order["order_id"])
        return None
