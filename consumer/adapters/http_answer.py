"""The API's answer, read from the bytes received so far."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from consumer.adapters.answer_head import (
    BODY_ENDS_WITH_CONNECTION,
    BODY_IN_CHUNKS,
    Head,
    parse_head,
)
from consumer.adapters.chunked_body import ChunkedBody

HEAD_BYTES = 65_536
BODY_BYTES = 65_536
ANSWER_BYTES = 2 * (HEAD_BYTES + BODY_BYTES)  # as received: chunk sizes and 1xx answers count here

_START = b"HTTP/1."
_HEAD_END = re.compile(rb"\n\r?\n")
_SWITCHES_PROTOCOL = 101


class HttpAnswer(NamedTuple):
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
    """Reads one answer as it arrives, within bounds; interim answers (1xx) are skipped."""

    def __init__(self) -> None:
        self._received: bytes | bytearray = b""
        self._place = 0  # of what is not yet understood
        self._searched = 0  # up to here there is no end of a head
        self._head: Head | None = None
        self._body_bytes = BODY_ENDS_WITH_CONNECTION
        self._chunks: ChunkedBody | None = None

    def feed(self, chunk: bytes) -> HttpAnswer | Broken | None:
        """Read the next bytes, at least one; None while the answer is incomplete."""
        if not self._received:
            self._received = chunk
        else:
            if isinstance(self._received, bytes):
                self._received = bytearray(self._received)
            self._received += chunk
        if self._head is None:
            broken = self._read_heads()
            if broken is not None or self._head is None:
                return broken
        return self._read_body(self._head)

    def ended(self) -> HttpAnswer | Broken:
        """The API closed the connection, which completes an answer without a length."""
        if not self._received:
            return self.broken("the connection was closed without an answer")
        if self._head is None or self._body_bytes != BODY_ENDS_WITH_CONNECTION:
            return self.broken("the connection was closed in the middle of the answer")
        return HttpAnswer(self._head, bytes(self._received[self._place :]), idle_seconds=0.0)

    def broken(self, reason: str) -> Broken:
        """The answer will not be complete, for this reason."""
        return Broken(reason, self._head)

    def _read_heads(self) -> Broken | None:
        """Skip interim answers, and read the head of the final one if all of it has come."""
        while ended := _HEAD_END.search(self._received, self._searched):
            start, end = self._place, ended.end()
            if end - start > HEAD_BYTES:
                return self._head_too_long()
            head = parse_head(self._received, start, end)
            if head is None:
                return self._not_http("its head cannot be read")
            self._place = self._searched = end
            if head.status == _SWITCHES_PROTOCOL:
                return self.broken("the answer switches to another protocol")
            if 100 <= head.status < 200:  # noqa: PLR2004 - the class of interim answers
                continue
            body_bytes = head.body_bytes()
            if body_bytes is None:
                return self._not_http("its length cannot be known")
            self._head, self._body_bytes = head, body_bytes
            return None
        self._searched = max(self._place, len(self._received) - 2)  # an end may be here in part
        begun = self._received[self._place : self._place + len(_START)]
        if not _START.startswith(begun):
            return self._not_http("it does not begin with a status line")
        return self._head_too_long() if len(self._received) > HEAD_BYTES else None

    def _read_body(self, head: Head) -> HttpAnswer | Broken | None:
        match self._body_bytes:
            case value if value == BODY_IN_CHUNKS:
                return self._read_chunks(head)
            case value if value == BODY_ENDS_WITH_CONNECTION:
                is_too_long = len(self._received) - self._place > BODY_BYTES
                return self._body_too_long() if is_too_long else None
            case body_bytes:
                if body_bytes > BODY_BYTES:
                    return self._body_too_long()
                end = self._place + body_bytes
                if len(self._received) < end:
                    return None
                return self._whole(head, bytes(self._received[self._place : end]), end)

    def _read_chunks(self, head: Head) -> HttpAnswer | Broken | None:
        if self._chunks is None:
            self._chunks = ChunkedBody(self._place)
        chunks = self._chunks
        chunks.read(self._received, bound=BODY_BYTES)
        if chunks.is_broken:
            return self._not_http("its body has something that is no chunk")
        if len(chunks.content) > BODY_BYTES or len(self._received) > ANSWER_BYTES:
            return self._body_too_long()
        return self._whole(head, bytes(chunks.content), chunks.place) if chunks.is_whole else None

    def _whole(self, head: Head, body: bytes, end: int) -> HttpAnswer:
        """The answer, which ends at this place; bytes behind it belong to no request of ours."""
        keeps = len(self._received) == end and not head.closes and not head.hides_a_body()
        return HttpAnswer(head, body, head.idle_seconds() if keeps else 0.0)

    def _not_http(self, why: str) -> Broken:
        return self.broken(f"the answer is not HTTP: {why}")

    def _head_too_long(self) -> Broken:
        return self.broken(f"the answer's head is longer than {HEAD_BYTES:,} bytes")

    def _body_too_long(self) -> Broken:
        return self.broken(f"the answer's body is longer than {BODY_BYTES:,} bytes")
