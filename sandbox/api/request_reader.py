"""Which requests do these bytes hold?"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httptools

from sandbox.api.decision import Plan, Reply
from sandbox.api.responses import problem
from sandbox.api.taken_requests import KEY_HEADER

REQUEST_HEAD_BYTES = 32_768
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
    order of arrival and not in the order in which long bodies end; None leaves it until then. A
    request that is no HTTP or too long counts as complete, with its refusal as the plan. Nothing is
    read after a request that is refused, asks for another protocol, or closes the connection.
    """

    def __init__(
        self, decide: Callable[[IncomingRequest], Plan | None], *, key_header: str = KEY_HEADER
    ) -> None:
        self.complete: deque[IncomingRequest] = deque()
        self.incoming: IncomingRequest | None = None
        self._decide = decide
        self._key_header = key_header.lower().encode()
        self._parser = httptools.HttpRequestParser(self)
        self._arrived_at = 0.0
        self._head_bytes = 0
        self._body_bytes = 0
        self._is_over = False

    def feed(self, received: bytes, arrived_at: float) -> None:
        """Take bytes that arrived at this time (monotonic seconds)."""
        if self._is_over:
            return
        self._arrived_at = arrived_at
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserUpgrade:
            self._is_over = True  # the request itself is complete and answered over HTTP/1.1
            self.complete[-1].closes = True
        except httptools.HttpParserError:
            self._refuse(400, "This is not HTTP/1.1.")
        if self.incoming is not None and not self.incoming.method:
            self._head_bytes += len(received)
            if self._head_bytes > REQUEST_HEAD_BYTES:
                self._refuse(431, f"The head of a request has at most {REQUEST_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if not self._is_over:
            self.incoming = IncomingRequest(self._arrived_at)
            self._head_bytes = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Some or all bytes of the request target."""
        if self.incoming is not None:
            self.incoming.target += url

    def on_header(self, name: bytes, content: bytes) -> None:
        """One header field."""
        if self.incoming is None:
            return
        match name.lower():
            case key_header if key_header == self._key_header:
                self.incoming.idempotency_key = content.decode("latin-1")
            case b"content-length":
                self._body_bytes = int(content)  # the parser has refused what is no number
            case _:
                pass

    def on_headers_complete(self) -> None:
        """The head is complete: decide before the body is here."""
        request = self.incoming
        if request is None:
            return
        request.method = self._parser.get_method().decode("latin-1")
        if not request.is_control:
            request.plan = self._decide(request)
        self._refuse_long_body()

    def on_body(self, body: bytes) -> None:
        """Some or all bytes of the body."""
        if self.incoming is not None:
            self.incoming.body += body
            self._body_bytes = max(self._body_bytes, len(self.incoming.body))
            self._refuse_long_body()

    def on_message_complete(self) -> None:
        """The request is complete."""
        request = self.incoming
        if request is not None:
            request.closes = not self._parser.should_keep_alive()
            self._is_over = request.closes
            self._finish(request)

    def _finish(self, request: IncomingRequest) -> None:
        self.complete.append(request)
        self.incoming = None

    def _refuse_long_body(self) -> None:
        if self._body_bytes > REQUEST_BODY_BYTES:
            self._refuse(413, f"The body of a request has at most {REQUEST_BODY_BYTES} bytes.")

    def _refuse(self, status: int, sentence: str) -> None:
        if self._is_over:
            return
        request = self.incoming or IncomingRequest(self._arrived_at)
        request.plan = Reply(problem(status, sentence), request.arrived_at)
        request.closes = self._is_over = True
        self._finish(request)
