"""Which requests do these bytes hold?"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httptools

from sandbox.api.decision import Plan, Reply
from sandbox.api.responses import problem

REQUEST_BODY_BYTES = 1_048_576


@dataclass(slots=True)
class IncomingRequest:
    """A request as far as it has arrived; it has a plan once its head is complete."""

    arrived_at: float
    method: str = ""
    target: bytes = b""
    idempotency_key: str | None = None
    body: bytearray = field(default_factory=bytearray)
    plan: Plan | None = None
    closes: bool = False

    @property
    def is_control(self) -> bool:
        """Whether it speaks to the sandbox and not to the API that the sandbox stands in for."""
        return self.target.startswith(b"/_sandbox/")

    @property
    def path(self) -> str:
        """The request target as received."""
        return self.target.decode(errors="replace")


class RequestReader:
    """Turns the bytes of one connection into complete requests.

    `decide` is called as soon as a request's head is complete, so that decisions are taken in the
    order of arrival and not in the order in which long bodies end. A request that is no HTTP or
    too long counts as complete, with its refusal as the plan, and is the last one.
    """

    def __init__(self, decide: Callable[[IncomingRequest], Plan]) -> None:
        self.complete: deque[IncomingRequest] = deque()
        self.incoming: IncomingRequest | None = None
        self._decide = decide
        self._parser = httptools.HttpRequestParser(self)
        self._arrived_at = 0.0

    def feed(self, received: bytes, arrived_at: float) -> None:
        """Take bytes that arrived at this time (monotonic seconds)."""
        self._arrived_at = arrived_at
        try:
            self._parser.feed_data(received)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400, "This is not HTTP/1.1.")
        if self.incoming is not None and len(self.incoming.body) > REQUEST_BODY_BYTES:
            self._refuse(413, f"The body of a request has at most {REQUEST_BODY_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self.incoming = IncomingRequest(self._arrived_at)

    def on_url(self, url: bytes) -> None:
        """Some or all bytes of the request target."""
        self._current.target += url

    def on_header(self, name: bytes, content: bytes) -> None:
        """One header field."""
        if name.lower() == b"idempotency-key":
            self._current.idempotency_key = content.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is complete: decide before the body is here."""
        request = self._current
        request.method = self._parser.get_method().decode("latin-1")
        if not request.is_control:
            request.plan = self._decide(request)

    def on_body(self, body: bytes) -> None:
        """Some or all bytes of the body."""
        self._current.body += body

    def on_message_complete(self) -> None:
        """The request is complete."""
        request = self._current
        if len(request.body) <= REQUEST_BODY_BYTES:
            request.closes = not self._parser.should_keep_alive()
            self._finish(request)

    @property
    def _current(self) -> IncomingRequest:
        if self.incoming is None:
            self.incoming = IncomingRequest(self._arrived_at)
        return self.incoming

    def _finish(self, request: IncomingRequest) -> None:
        self.complete.append(request)
        self.incoming = None

    def _refuse(self, status: int, sentence: str) -> None:
        request = self._current
        request.plan = Reply(problem(status, sentence), request.arrived_at)
        request.closes = True
        self._finish(request)
