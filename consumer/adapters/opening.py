"""Opening a connection to the API."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from consumer.adapters.api_url import ApiUrl
from consumer.adapters.bounded_call import TookTooLong, within
from consumer.adapters.http_connection import HttpConnection, cause

OPENING_SECONDS = 10.0  # at most this long after its turn a request leaves


@dataclass(frozen=True, slots=True)
class NotOpened:
    """There is no connection, so nothing was sent."""

    reason: str


def opener(
    url: ApiUrl, *, ca_file: Path | None = None
) -> Callable[[float], HttpConnection | NotOpened]:
    """A function that opens a connection within the given seconds, name look-up and TLS included.

    urllib3 connects and verifies; the environment's proxies are not used. `ca_file`: see `_trust`.
    """
    context = _trust(ca_file) if url.secure else None

    def connect(seconds: float) -> socket.socket:
        if context is None:
            connection = HTTPConnection(url.host, url.port, timeout=seconds)
        else:
            connection = HTTPSConnection(url.host, url.port, timeout=seconds, ssl_context=context)
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
                limit_seconds, lambda: connect(limit_seconds), dispose=socket.socket.close
            )
        except TookTooLong:
            return NotOpened(f"no connection to {url.authority} within {limit_seconds:.1f} s")
        except (OSError, HTTPError, HTTPException) as error:
            return NotOpened(f"no connection to {url.authority}: {cause(error)}")
        return HttpConnection(sock)

    return opened


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies certificate and host name.

    It trusts the system's authorities and certifi's, or, given `ca_file`, only those in that PEM
    file. Raises OSError where the file cannot be read.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.load_verify_locations(certifi.where())
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context
