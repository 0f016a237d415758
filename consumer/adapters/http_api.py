"""The third party's API: an order becomes one PUT, and its answer a result."""

import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from consumer.adapters.api_url import parse_api_url
from consumer.adapters.asked_wait import asked_wait_seconds, retry_after_seconds
from consumer.adapters.connections import Connections
from consumer.adapters.credentials import Credential, CredentialUnreadable, FixedCredential
from consumer.adapters.http_answer import Broken, Head, HttpAnswer
from consumer.adapters.http_connection import nothing
from consumer.adapters.opening import NotOpened, opener
from consumer.delivery.attempts import (
    Accepted,
    Attempt,
    Conflict,
    OrderRequest,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)

ANSWER_CHARACTERS = 1_000  # of a refusal's body, kept with the dead letter
CONNECT_AHEAD_SECONDS = 2.0  # an API that takes longer to reach shows in the attempt, not before it
NOTHING_SENT = 0  # the status of an Unauthorized where there was no credential to send


class HttpApi:
    """The third party's API over HTTP/1.1; safe for any number of threads at once.

    It says only what came back; `consumer/delivery/classification.py` says what follows.
    docs/api-answers.md publishes both.
    """

    def __init__(
        self,
        url: str,
        *,
        attempt_seconds: float,
        credential: Credential | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """`attempt_seconds` bounds an attempt as a whole, from name look-up to the body's end.

        Raises ApiUrlUnusable, and OSError where `ca_file` cannot be read.
        """
        self._url = parse_api_url(url)
        self._attempt_seconds = attempt_seconds
        self._credential = FixedCredential() if credential is None else credential
        self._connections = Connections(opener(self._url, ca_file=ca_file))

    def send(
        self,
        order: OrderRequest,
        *,
        begin: Callable[[], None] = nothing,
        sent: Callable[[], None] = nothing,
    ) -> Attempt:
        """Send one order, once; ends within the attempt's deadline and never raises.

        `begin` is called before the first byte of the request is sent,
        `sent` when the last one is on its way.
        """
        deadline = time.monotonic() + self._attempt_seconds
        try:
            token = self._credential.token(seconds=self._attempt_seconds)
        except CredentialUnreadable as error:
            return Unauthorized(NOTHING_SENT, str(error))
        request = self._request(order, token)
        match self._connections.exchange(request, deadline=deadline, begin=begin, sent=sent):
            case HttpAnswer(head, answer_body):
                return self._result(head, answer_body, token)
            case Broken(reason, head):
                return self._broken(reason, head)
            case NotOpened(reason):
                return Unavailable(None, reason, may_have_arrived=False)

    def connect(self) -> None:
        """Open a connection ahead of a turn unless one is idle; a failure shows in the attempt."""
        self._connections.open_ahead(seconds=min(self._attempt_seconds, CONNECT_AHEAD_SECONDS))

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    def _request(self, order: OrderRequest, token: str | None) -> bytes:
        authorization = "" if token is None else f"Authorization: Bearer {token}\r\n"
        head = (
            f"PUT {self._url.target(order.order_id)} HTTP/1.1\r\n"
            f"Host: {self._url.authority}\r\n"
            "User-Agent: paced-orders\r\n"
            "Accept: application/json\r\n"
            "Accept-Encoding: identity\r\n"
            f"{authorization}"
            f"Idempotency-Key: {order.idempotency_key}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(order.body)}\r\n\r\n"
        )
        return head.encode("ascii") + order.body

    def _result(self, head: Head, body: bytes, token: str | None) -> Attempt:
        status = head.status
        match status:
            case _ if 200 <= status < 300:  # noqa: PLR2004 - the class of success
                return Accepted(status)
            case 401 | 403:
                if token is not None:
                    self._credential.refused(token)
                return Unauthorized(status, _answered(status))
            case 409:
                return Conflict(status, _text(body, token))
            case 429:
                wait_seconds = asked_wait_seconds(head.fields, now=time.time())
                return Throttled(wait_seconds, _answered(status))
            case _ if 400 <= status < 500 and status not in (408, 425):  # noqa: PLR2004 - as above
                return Refused(status, _answered(status), _text(body, token))
            case _:
                return self._broken(_answered(status), head)

    def _broken(self, reason: str, head: Head | None) -> Unavailable:
        if head is None:
            return Unavailable(None, reason, may_have_arrived=True)
        wait_seconds = retry_after_seconds(head.fields, now=time.time())
        return Unavailable(head.status, reason, may_have_arrived=True, wait_seconds=wait_seconds)


def _answered(status: int) -> str:
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    redirect = ", a redirect, which is never followed" if 300 <= status < 400 else ""  # noqa: PLR2004
    return f"the API answered {named}{redirect}"


def _text(body: bytes, token: str | None) -> str:
    """The start of an answer's body, for a person to read; an echo of the token is removed."""
    text = body.decode(errors="replace")
    if token is not None:
        text = text.replace(token, "[credential]")
    return text[:ANSWER_CHARACTERS]
