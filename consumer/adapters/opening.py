"""How is a connection to the API opened?"""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import unquote, urlsplit

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from consumer.adapters.api_url import ApiUrl
from consumer.adapters.deadline import TookTooLong, within
from consumer.adapters.http_connection import HttpConnection, cause

OPENING_SECONDS = 10.0  # the request leaves this long after its turn at the most


class ProxyUrlUnusable(ValueError):
    """A sentence says what is wrong with the proxy's URL; it never holds the URL itself."""


@dataclass(frozen=True, slots=True)
class NotOpened:
    """There is no connection, so nothing was sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that connections are tunnelled through (CONNECT)."""

    host: str
    port: int
    headers: dict[str, str]


def parse_proxy(text: str) -> Proxy:
    """Read `http://[user:password@]host[:port]`.

    Raises:
        ProxyUrlUnusable: it is none. TLS to the proxy itself is not supported.
    """
    try:
        parts = urlsplit(text)
        port = parts.port or 80
    except ValueError as error:
        raise ProxyUrlUnusable("The proxy's URL cannot be read.") from error
    if parts.scheme != "http" or not parts.hostname:
        raise ProxyUrlUnusable("The proxy's URL must be http://[user:password@]host[:port].")
    login = None
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(parts.hostname, port, dict(make_headers(proxy_basic_auth=login)))


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies certificate and host name.

    It trusts the system's authorities and certifi's, or, where `ca_file` is given, only those in
    that PEM file. Raises OSError where the file cannot be read.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.load_verify_locations(certifi.where())
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def opener(
    url: ApiUrl, *, ca_file: Path | None = None, proxy: Proxy | None = None
) -> Callable[[float], HttpConnection | NotOpened]:
    """A function that opens a connection within so many seconds, name look-up and TLS included.

    urllib3 connects, tunnels, and verifies; proxies of the environment are not looked at.
    """
    context = trust(ca_file) if url.secure else None

    def connected(seconds: float) -> socket.socket:
        host, port = (url.host, url.port) if proxy is None else (proxy.host, proxy.port)
        if context is None:
            connection = HTTPConnection(host, port, timeout=seconds)
        else:
            connection = HTTPSConnection(host, port, timeout=seconds, ssl_context=context)
        if proxy is not None:
            connection.set_tunnel(url.host, url.port, headers=proxy.headers)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        if connection.sock is None:
            raise OSError("no socket")
        return connection.sock

    def opened(seconds: float) -> HttpConnection | NotOpened:
        limit_seconds = min(max(seconds, 0.001), OPENING_SECONDS)
        try:
            sock = within(
                limit_seconds, lambda: connected(limit_seconds), dispose=socket.socket.close
            )
        except TookTooLong:
            return NotOpened(f"no connection to {url.authority} within {limit_seconds:.1f} s")
        except (OSError, HTTPError, HTTPException) as error:
            return NotOpened(f"no connection to {url.authority}: {cause(error)}")
        return HttpConnection(sock)

    return opened
