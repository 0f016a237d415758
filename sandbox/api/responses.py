"""What does a response look like on the wire?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from consumer.adapters.batch_answer import ResultNames

_BODILESS = frozenset({204, 304})
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a body and further header lines, without their line endings."""

    status: int
    body: bytes | bytearray
    headers: tuple[str, ...] = ()
    content_type: str = "application/json"

    def head(self, *, closes: bool) -> bytes:
        """Status line and headers, including the empty line."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unnamed')}"]
        if self.status not in _BODILESS:
            lines.append(f"Content-Type: {self.content_type}")
            lines.append(f"Content-Length: {len(self.body)}")
        lines.extend(self.headers)
        if closes:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def body_for(self, method: str) -> bytes | bytearray:
        """The bytes that follow the head; none for HEAD and for statuses without a body."""
        return b"" if method == "HEAD" or self.status in _BODILESS else self.body


def accepted(order_id: str | None) -> Response:
    """200: the order was accepted; None is one that the path does not name."""
    return Response(200, b'{"status":"accepted","order_id":' + json.dumps(order_id).encode() + b"}")


def problem(status: int, sentence: str, headers: tuple[str, ...] = ()) -> Response:
    """A status with one sentence in its body."""
    return Response(status, json.dumps({"error": sentence}).encode(), headers)


def results_of(
    order_ids: Sequence[str], statuses: Mapping[str, int], names: ResultNames
) -> Response:
    """207: a result for each order of a batch, 200 unless `statuses` has another for its id."""
    content: object = [
        ({names.order_id: one} if names.order_id else {}) | {names.status: statuses.get(one, 200)}
        for one in order_ids
    ]
    for name in reversed(names.place):
        content = {name: content}
    return Response(207, json.dumps(content).encode())


def value(content: object) -> Response:
    """200 with a JSON value."""
    return Response(200, json.dumps(content).encode())
