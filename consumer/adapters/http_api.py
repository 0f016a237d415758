"""The third party's API: an order becomes one request, and its answer a result."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from requests.exceptions import RequestException

from consumer.adapters.answer_head import Head
from consumer.adapters.answer_meaning import attempt_from, broken_off
from consumer.adapters.api_shape import USUAL_SHAPE, ApiShape
from consumer.adapters.api_url import parse_api_url
from consumer.adapters.connections import Connections
from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.http_connection import nothing
from consumer.adapters.http_transport import AnswerBroken, HttpTransport, NothingArrived
from consumer.adapters.opening import opener
from consumer.adapters.request_shape import RequestShape
from consumer.adapters.request_target import NoTarget
from consumer.adapters.sign_in import BearerSignIn, SignIn, signed
from consumer.adapters.tls_trust import ClientCertificate, TlsTrust
from consumer.adapters.told_limits import NOTHING_TOLD, limits_told
from consumer.delivery.attempts import (
    Accepted,
    Answered,
    Attempt,
    BatchRequest,
    OrderAttempt,
    OrderRequest,
    Refused,
    Unauthorized,
    Unavailable,
)

if TYPE_CHECKING:
    from consumer.adapters.rate_limit_fields import HeaderFields

CONNECT_AHEAD_SECONDS = 2.0  # an API that takes longer to reach shows in the attempt, not before it
NOTHING_SENT = 0  # the status of an Unauthorized where there was no credential to send


class HttpApi:
    """The third party's API over HTTP/1.1; safe for any number of threads at once.

    It says only what came back; `consumer/delivery/classification.py` says what follows.
    docs/api-answers.md publishes both. The transport is called directly: what a Session does
    around it (redirects, cookies, hooks) is done to no order, and costs CPU time (decision 73).
    """

    def __init__(  # noqa: PLR0913 - all of it named
        self,
        url: str,
        *,
        attempt_seconds: float,
        shape: ApiShape = USUAL_SHAPE,
        sign_in: SignIn | None = None,
        ca_file: Path | None = None,
        client_cert: ClientCertificate | None = None,
    ) -> None:
        """`attempt_seconds` bounds an attempt as a whole, from name look-up to the body's end.

        Raises ApiUrlUnusable, OSError where `ca_file` cannot be read, and CredentialUnreadable
        for a `client_cert` of no use, unless its key is elsewhere: then each attempt says it.
        """
        parsed = parse_api_url(url)
        self._attempt_seconds = attempt_seconds
        self._sign_in = BearerSignIn() if sign_in is None else sign_in
        self._shape = RequestShape(parsed, shape)
        self._answers = shape.answers
        self._batch = shape.batch
        self._last_told: tuple[HeaderFields, Callable[[str], str]] = NOTHING_TOLD, str
        tls = TlsTrust(ca_file=ca_file, client_cert=client_cert)
        if parsed.secure and (client_cert is None or client_cert.read_key is None):
            tls.context()
        self._connections = Connections(opener(parsed, tls=tls))
        self._transport = HttpTransport(parsed, self._connections, seconds=attempt_seconds)

    def send(
        self,
        order: OrderRequest | BatchRequest,
        *,
        begin: Callable[[], None] = nothing,
        sent: Callable[[], None] = nothing,
    ) -> Attempt:
        """Send one order or one batch, once; ends within the attempt's deadline and never raises.

        `begin` is called before the first byte of the request is sent,
        `sent` when the last one is on its way.
        """
        deadline = time.monotonic() + self._attempt_seconds
        request = self._shape.prepared(order)
        if isinstance(request, NoTarget):
            return Refused(None, request.reason, "")
        try:
            auth = self._sign_in.auth(seconds=self._attempt_seconds)
            request = signed(request, auth)
        except CredentialUnreadable as error:
            return Unauthorized(NOTHING_SENT, str(error))
        seconds = deadline - time.monotonic()
        try:
            answer = self._transport.send(request, timeout=seconds, begin=begin, sent=sent)
        except NothingArrived as error:
            return Unavailable(None, str(error), may_have_arrived=False)
        except AnswerBroken as error:
            return broken_off(str(error), error.head)
        except RequestException as error:  # what signed it made it one that cannot be written
            return Unauthorized(NOTHING_SENT, f"The signed request cannot be sent: {error}.")
        hide = partial(self._sign_in.hide, auth=auth)
        self._last_told = answer.head.fields, hide

        def meaning(head: Head, body: bytes) -> OrderAttempt:
            return attempt_from(head, body, hide=hide, answers=self._answers)

        attempt: Attempt = meaning(answer.head, answer.content)
        if isinstance(attempt, Accepted) and isinstance(order, BatchRequest):
            attempt = self._batch.attempt_from(
                attempt,
                answer.content,
                order,
                lambda status, text: meaning(Head(status, answer.head.fields), text),
            )
        of_orders = attempt.results if isinstance(attempt, Answered) else (attempt,)
        if any(isinstance(one, Unauthorized) for one in of_orders):
            self._sign_in.refused(auth)
        return attempt

    def limits_told(self) -> str:
        """What the last answer told about the API's limits; empty where it told nothing."""
        fields, hide = self._last_told
        return limits_told({name: [*map(hide, values)] for name, values in fields.items()})

    def connect(self) -> None:
        """Open a connection ahead of a turn unless one is idle; a failure shows in the attempt.

        A credential that was not read yet, or was refused, is read ahead of the turn, too.
        """
        with suppress(CredentialUnreadable):
            self._sign_in.auth(seconds=min(self._attempt_seconds, CONNECT_AHEAD_SECONDS))
        self._connections.open_ahead(seconds=min(self._attempt_seconds, CONNECT_AHEAD_SECONDS))

    def close(self) -> None:
        """Close the idle connections, and fetch no more tokens."""
        self._transport.close()
        self._sign_in.close()
