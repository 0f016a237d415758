"""Opening a connection to the API."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from consumer.adapters.api_url import ApiUrl
from consumer.adapters.bounded_call import TookTooLong, within
from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.http_connection import HttpConnection, cause
from consumer.adapters.tls_trust import TlsTrust

OPENING_SECONDS = 10.0  # at most this long after its turn a request leaves


@dataclass(frozen=True, slots=True)
class NotOpened:
    """There is no connection, so nothing was sent."""

    reason: str


def opener(
    url: ApiUrl, *, tls: TlsTrust | None = None
) -> Callable[[float], HttpConnection | NotOpened]:
    """A function that opens a connection within the given seconds, name look-up and TLS included.

    urllib3 connects and verifies, by default with public authorities; the environment's proxies
    are not used.
    """
    trust = TlsTrust() if tls is None else tls

    def connect(seconds: float) -> socket.socket:
        if not url.secure:
            connection = HTTPConnection(url.host, url.port, timeout=seconds)
        else:
            context = trust.context()
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
        except CredentialUnreadable as error:
            return NotOpened(f"no connection to {url.authority}: {error}")
        except (OSError, HTTPError, HTTPException) as error:
            return NotOpened(f"no connection to {url.authority}: {cause(error)}")
        return HttpConnection(sock)

    return opened
