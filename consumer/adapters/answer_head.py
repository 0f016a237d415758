"""The head of the API's answer: its status, the fields that are read, and how its body ends.

Source: RFC 9112. A bare LF ends a line as CR LF does (section 2.2), as every common client has it.
"""

import re
from typing import NamedTuple

from consumer.adapters.rate_limit_fields import RATE_LIMIT_FIELDS

BODY_ENDS_WITH_CONNECTION = -1
BODY_IN_CHUNKS = -2

# Possessive quantifiers: no answer makes either of them try again.
_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([0-9]{3})(?: [^\r\n]*+)?+\r?\n"
    rb"((?:[!#-'*+\-.0-9A-Z^-z|~]++:[^\r\n\0]*+\r?\n)*+)\r?\n"
)
_LENGTH = re.compile(r"[0-9]{1,18}")
_FIELDS_READ = frozenset(
    (
        b"content-length",
        b"date",
        b"keep-alive",
        b"retry-after",
        b"transfer-encoding",
        *(name.encode() for name in RATE_LIMIT_FIELDS),
    )
)
_WITHOUT_BODY = frozenset((204, 304))
_NO_BYTES = ["0"]
_KEEP_ALIVE = re.compile(r"(?:^|[\s,;])timeout\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)

Fields = dict[str, list[str]]


class Head(NamedTuple):  # one is made for each order, in half of a frozen dataclass's time
    """Status, and the header fields in use, by name in lower case; `closes`: so it says."""

    status: int
    fields: Fields
    closes: bool = False

    def body_bytes(self) -> int | None:
        """The body's length, BODY_ENDS_WITH_CONNECTION or BODY_IN_CHUNKS; None if it contradicts.

        Source: RFC 9112 section 6.3.
        """
        lengths = self.fields.get("content-length")
        codings = self.fields.get("transfer-encoding")
        if codings is not None:
            if lengths is not None:
                return None
            is_chunked = codings[-1].lower().rpartition(",")[2].strip() == "chunked"
            unbounded = BODY_IN_CHUNKS if is_chunked else BODY_ENDS_WITH_CONNECTION
            return 0 if self.status in _WITHOUT_BODY else unbounded
        if lengths is None:
            return 0 if self.status in _WITHOUT_BODY else BODY_ENDS_WITH_CONNECTION
        if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
            return None
        return 0 if self.status in _WITHOUT_BODY else int(lengths[0])

    def hides_a_body(self) -> bool:
        """Does it name a body that its status rules out, but that may follow all the same?"""
        return self.status in _WITHOUT_BODY and (
            "transfer-encoding" in self.fields
            or self.fields.get("content-length", _NO_BYTES) != _NO_BYTES
        )

    def idle_seconds(self) -> float | None:
        """How long the API promises to keep the connection open; None without a promise."""
        promises = self.fields.get("keep-alive")
        named = None if promises is None else _KEEP_ALIVE.search(", ".join(promises))
        return None if named is None else float(named[1])


def parse_head(received: bytes | bytearray, start: int, end: int) -> Head | None:
    """The head between two places, the latter behind its empty line; None where it is not HTTP."""
    found = _HEAD.fullmatch(received, start, end)
    if found is None:
        return None
    version, status, lines = found.groups()
    fields: Fields = {}
    options = b""
    for line in lines.splitlines():
        name, _, value = line.partition(b":")
        lower = name.lower()
        if lower in _FIELDS_READ:
            fields.setdefault(lower.decode(), []).append(value.strip(b" \t").decode("latin-1"))
        elif lower == b"connection":
            options += b"," + value.lower()
    closes = version == b"0"
    if options:
        named = {option.strip(b" \t") for option in options.split(b",")}
        closes = b"close" in named or (closes and b"keep-alive" not in named)
    return Head(int(status), fields, closes)
