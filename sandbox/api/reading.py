"""Which requests do these bytes hold?"""

from collections import deque

import httptools

from sandbox.api.answers import Listing, problem
from sandbox.api.controls import control
from sandbox.api.decision import Reply
from sandbox.api.exchange import Exchange
from sandbox.api.premises import Premises

BODY_BYTES = 1_048_576
HEAD_BYTES = 32_768


class RequestReader:
    """Turns the bytes of one connection into exchanges at the end of a queue.

    What happens to a request is decided as soon as its head is complete, so that decisions are
    taken in the order of arrival and not in the order in which long bodies end. After a request
    that breaks a bound or the protocol the reader is deaf: that answer is the connection's last.
    """

    def __init__(self, premises: Premises, queue: deque[Exchange]) -> None:
        self.deaf = False
        self.wants_continue = False
        self._premises = premises
        self._queue = queue
        self._parser = httptools.HttpRequestParser(self)
        self._incoming: Exchange | None = None
        self._in_head = False
        self._head_bytes = 0
        self._only_head = True
        self._arrived_at = 0.0

    def feed(self, received: bytes, arrived_at: float) -> None:
        """Take bytes that arrived at this time (monotonic seconds)."""
        self._arrived_at = arrived_at
        self._only_head = True
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserUpgrade:
            self.deaf = True  # the request itself was read and is answered over HTTP/1.1
            self._queue[-1].closes = True
        except httptools.HttpParserError:
            self._refuse(400, "This is not HTTP/1.1.")
        if self._in_head and self._only_head:
            self._head_bytes += len(received)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(431, f"The head of a request has at most {HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if not self.deaf:
            self._begin()

    def on_url(self, url: bytes) -> None:
        """Some or all bytes of the request target."""
        if self._incoming is not None:
            self._incoming.target += url

    def on_header(self, name: bytes, content: bytes) -> None:
        """One header field."""
        if self._incoming is None:
            return
        match name.lower():
            case b"idempotency-key":
                self._incoming.idempotency_key = content.decode("latin-1")
            case b"content-length":
                self._incoming.announced_bytes = int(content)
            case b"expect":
                self.wants_continue = content.lower() == b"100-continue"
            case _:
                pass

    def on_headers_complete(self) -> None:
        """The head is complete: decide, before the body is here."""
        exchange = self._incoming
        if exchange is None:
            return
        self._in_head = False
        exchange.method = self._parser.get_method().decode("latin-1")
        if not exchange.is_control:
            exchange.plan = self._premises.desk.decide(
                exchange.method, exchange.path, exchange.arrived_at
            )
        if exchange.announced_bytes > BODY_BYTES:
            self._refuse_body()

    def on_body(self, body: bytes) -> None:
        """Some or all bytes of the body."""
        exchange = self._incoming
        if exchange is None:
            return
        exchange.body_bytes += len(body)
        exchange.digest.update(body)
        if exchange.body_bytes > BODY_BYTES:
            self._refuse_body()
        elif exchange.is_control:
            exchange.body += body

    def on_message_complete(self) -> None:
        """The request is whole."""
        exchange = self._incoming
        if exchange is None:
            return
        self._incoming = None
        self._only_head = self.wants_continue = False
        exchange.closes = self.deaf = not self._parser.should_keep_alive()
        if exchange.is_control:
            exchange.plan = self._control(exchange)
        exchange.whole = True

    def _begin(self) -> Exchange:
        exchange = Exchange(self._arrived_at, self._premises.log.open(self._arrived_at))
        self._queue.append(exchange)
        self._incoming = exchange
        self._in_head = True
        self._head_bytes = 0
        return exchange

    def _control(self, exchange: Exchange) -> Reply | Listing:
        done = control(
            self._premises.desk,
            exchange.method,
            exchange.path,
            bytes(exchange.body),
            exchange.arrived_at,
        )
        return done if isinstance(done, Listing) else Reply(done, exchange.arrived_at)

    def _refuse_body(self) -> None:
        self._refuse(413, f"The body of a request has at most {BODY_BYTES} bytes.")

    def _refuse(self, status: int, sentence: str) -> None:
        if self.deaf:
            return
        exchange = self._incoming or self._begin()
        exchange.plan = Reply(problem(status, sentence), exchange.arrived_at)
        exchange.whole = exchange.closes = True
        self.deaf = True
        self._in_head = False
        self._incoming = None
