"""requests' way to the API: the adapter that carries its requests."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar
from requests.exceptions import ConnectionError as NoUsableAnswer
from requests.exceptions import InvalidHeader, InvalidURL, RequestException

from consumer.adapters.answer_head import Head
from consumer.adapters.api_url import ApiUrl
from consumer.adapters.connections import Connections
from consumer.adapters.http_answer import Broken, HttpAnswer
from consumer.adapters.http_connection import nothing
from consumer.adapters.opening import NotOpened
from consumer.adapters.request_headers import RequestHeaders


class NothingArrived(NoUsableAnswer):
    """No connection took a byte of the request; the message says why."""


class AnswerBroken(NoUsableAnswer):
    """The request may have arrived, and no whole answer came; `head` if that much of it did."""

    def __init__(self, reason: str, head: Head | None, request: PreparedRequest) -> None:
        super().__init__(reason, request=request)
        self.head = head


class WholeAnswer(Response):
    """An answer that came whole; its header fields are those that are read here."""

    def __init__(self, head: Head, body: bytes, request: PreparedRequest) -> None:
        # Not Response's own: of its 5 µs, cookies take most, and none are kept here.
        self.head = head
        self.status_code = head.status
        self.request = request
        self.url = request.url or ""
        self._content = body
        self._content_consumed = True
        self.raw = None
        self.encoding = None
        self.history = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as Response types them
        """What few ask for, made when it is."""
        match name:
            case "headers":
                fields = self.head.fields.items()
                made: object = RequestHeaders({field: ", ".join(all_) for field, all_ in fields})
            case "cookies":
                made = RequestsCookieJar()
            case "elapsed":
                made = timedelta(0)
            case "reason":
                made = ""
            case _:
                raise AttributeError(name)
        setattr(self, name, made)
        return made


class HttpTransport(BaseAdapter):
    """Carries requests to one API over a pool of connections; safe for any number of threads.

    It is mounted on a Session, or called directly. What requests' own adapter cannot promise:
    `timeout` bounds the whole exchange from name look-up to the body's last byte, the request's
    target is sent as it is, nothing is sent twice, and an answer's head and body are bounded. The
    trust in certificates is that of the connections; redirects and cookies are never seen.
    """

    def __init__(self, url: ApiUrl, connections: Connections, *, seconds: float) -> None:
        """`seconds` bounds an exchange that has no `timeout` of its own."""
        super().__init__()
        self._origin = url.origin
        self._authority = url.authority
        self._connections = connections
        self._seconds = seconds

    def send(  # noqa: PLR0913, PLR0917 - requests' own parameters, and two of ours
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - requests' own
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - requests' own
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
        *,
        begin: Callable[[], None] = nothing,
        sent: Callable[[], None] = nothing,
    ) -> WholeAnswer:
        """Send a request, once; `begin` and `sent` as in `Connections.exchange`.

        The body has always been read, whatever `stream` says. Raises NothingArrived, AnswerBroken,
        and InvalidURL, InvalidHeader or RequestException for a request that is not sent.
        """
        del stream
        if proxies or cert or verify is not True:
            raise RequestException(
                "trust, certificates and proxies are those that this transport was made with"
            )
        seconds = self._seconds if timeout is None or isinstance(timeout, tuple) else timeout
        deadline = time.monotonic() + seconds
        written = self._written(request)
        match self._connections.exchange(written, deadline=deadline, begin=begin, sent=sent):
            case HttpAnswer(head, body):
                return WholeAnswer(head, body, request)
            case Broken(reason, broken_head):
                raise AnswerBroken(reason, broken_head, request)
            case NotOpened(reason):
                raise NothingArrived(reason, request=request)

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    def _written(self, request: PreparedRequest) -> bytes:
        """The request's bytes in one piece: a second small write could wait for an ACK."""
        url, headers, body = request.url or "", request.headers, request.body or b""
        if not url.startswith(self._origin):
            raise InvalidURL(f"this transport speaks to {self._origin} alone", request=request)
        if not isinstance(headers, RequestHeaders):
            headers = RequestHeaders(headers)
        host = "" if "host" in headers else f"Host: {self._authority}\r\n"
        target = url[len(self._origin) :]
        head = f"{request.method} {target} HTTP/1.1\r\n{host}{headers.lines()}\r\n"
        if head.count("\n") != len(headers) + 2 + bool(host):
            raise InvalidHeader("a header field has a line break", request=request)
        if not isinstance(body, bytes | str):
            raise RequestException("its body is neither bytes nor text", request=request)
        try:
            return head.encode("latin-1") + (body if isinstance(body, bytes) else body.encode())
        except UnicodeEncodeError as error:
            raise InvalidHeader("a header field is not Latin-1", request=request) from error
