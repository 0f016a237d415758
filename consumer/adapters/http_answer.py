"""The API's answer, parsed from the bytes received so far."""

import re
from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from consumer.adapters.rate_limit_fields import RATE_LIMIT_FIELDS

HEAD_BYTES = 65_536
BODY_BYTES = 65_536
ANSWER_BYTES = 2 * (HEAD_BYTES + BODY_BYTES)  # as received: chunk sizes and 1xx answers count here

_READ_FIELDS = frozenset(
    (
        b"content-length",
        b"date",
        b"keep-alive",
        b"retry-after",
        b"transfer-encoding",
        *(name.encode() for name in RATE_LIMIT_FIELDS),
    )
)
_KEEP_ALIVE = re.compile(r"(?:^|[\s,;])timeout\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)

Fields = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Head:
    """Status, and the header fields in use, by name in lower case."""

    status: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer.

    idle_seconds: how long the API promises to keep the connection open: None without a promise, 0
    where it closes.
    """

    head: Head
    body: bytes
    idle_seconds: float | None


@dataclass(frozen=True, slots=True)
class Broken:
    """Some of the request was sent, and no complete answer received; `head` if that much was."""

    reason: str
    head: Head | None = None


class AnswerReader:
    """Reads one answer from the chunks in which it arrives, within bounds.

    Interim answers (1xx) are skipped. The parser is llhttp, Node's; bounds are ours.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        # RFC 9112 section 2.2 lets a recipient take a bare LF, and every common client does.
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)
        self._received_bytes = 0
        self._head_bytes = 0
        self._fields: Fields = {}
        self._head: Head | None = None
        self._interim = False
        self._body = bytearray()
        self._whole = False
        self._closes = False

    def feed(self, chunk: bytes) -> HttpAnswer | Broken | None:
        """Parse the next bytes, at least one; None while the answer is incomplete."""
        self._received_bytes += len(chunk)
        try:
            self._parser.feed_data(chunk)
        except HttpParserUpgrade:
            return Broken("the answer switches to another protocol")
        except HttpParserError as error:
            if not self._whole:
                return self.broken(f"the answer is not HTTP: {str(error).lower()}")
            self._closes = True  # bytes after the answer belong to no request of ours
        too_large = self._too_large()
        if too_large is not None or self._head is None or not self._whole:
            return too_large
        return self._answer(self._head)

    def ended(self) -> HttpAnswer | Broken:
        """The API closed the connection, which completes an answer without a length."""
        if self._received_bytes == 0:
            return self.broken("the connection was closed without an answer")
        if self._head is None or self._has_length(self._head):
            return self.broken("the connection was closed in the middle of the answer")
        self._closes = True
        return self._answer(self._head)

    def broken(self, reason: str) -> Broken:
        """The answer will not be complete, for this reason."""
        return Broken(reason, self._head)

    def _too_large(self) -> Broken | None:
        waits_for_head = self._head is None and self._received_bytes > HEAD_BYTES
        if self._head_bytes > HEAD_BYTES or waits_for_head:
            return self.broken(f"the answer's head is longer than {HEAD_BYTES:,} bytes")
        if len(self._body) > BODY_BYTES or self._received_bytes > ANSWER_BYTES:
            return self.broken(f"the answer's body is longer than {BODY_BYTES:,} bytes")
        return None

    def _answer(self, head: Head) -> HttpAnswer:
        return HttpAnswer(head, bytes(self._body), self._idle_seconds())

    def _idle_seconds(self) -> float | None:
        if self._closes:
            return 0.0
        named = _KEEP_ALIVE.search(", ".join(self._fields.get("keep-alive", ())))
        return float(named[1]) if named else None

    @staticmethod
    def _has_length(head: Head) -> bool:
        codings = ",".join(head.fields.get("transfer-encoding", ())).lower().split(",")
        return "content-length" in head.fields or codings[-1].strip() == "chunked"

    # Called by the parser.

    def on_message_begin(self) -> None:
        """The first byte of an answer, interim or final, or of something after it."""
        if self._whole:
            self._closes = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of a trailer, which is ignored."""
        self._head_bytes += len(name) + len(value)
        lower = name.lower()
        if lower in _READ_FIELDS and self._head is None:
            self._fields.setdefault(lower.decode(), []).append(value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """The empty line after a head; one that is too long is ignored."""
        if self._head is not None or self._head_bytes > HEAD_BYTES:
            return
        status = self._parser.get_status_code()
        self._interim = 100 <= status < 200  # noqa: PLR2004 - the class of interim answers
        if not self._interim:
            self._head = Head(status, self._fields)

    def on_body(self, piece: bytes) -> None:
        """Some bytes of the body."""
        if not self._whole:
            self._body += piece

    def on_message_complete(self) -> None:
        """The last byte of an answer."""
        if self._whole:
            return
        if self._interim:
            self._interim = False
            self._fields = {}
            return
        self._whole = True
        self._closes = not self._parser.should_keep_alive()
