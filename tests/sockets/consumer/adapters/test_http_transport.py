from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from requests import PreparedRequest
from requests.auth import AuthBase
from requests.exceptions import InvalidHeader, InvalidURL, RequestException

from consumer.adapters.api_url import parse_api_url
from consumer.adapters.connections import Connections
from consumer.adapters.http_api import HttpApi
from consumer.adapters.http_transport import HttpTransport, NothingArrived
from consumer.adapters.opening import opener
from consumer.delivery.attempts import Accepted, Attempt, Unauthorized
from tests.e2e.scripted_api import OK, ScriptedApi, always
from tests.support.outgoing import outgoing

MOVED = (
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nSet-Cookie: a=b\r\n"
    b"Content-Length: 0\r\n\r\n"
)


@contextmanager
def session_to(server: ScriptedApi) -> Iterator[requests.Session]:
    url = parse_api_url(server.url)
    with requests.Session() as session:
        session.mount(url.origin, HttpTransport(url, Connections(opener(url)), seconds=5.0))
        yield session


def put(session: requests.Session, server: ScriptedApi, **options: object) -> requests.Response:
    session.trust_env = False
    url = server.url.replace("{order_id}", "o-1")
    return session.put(url, b"{}", **options)  # type: ignore[arg-type]


def test_a_session_of_requests_sends_through_it() -> None:
    with ScriptedApi([always(OK)]).serving() as server, session_to(server) as session:
        answer = put(session, server, timeout=5.0)

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (
        200,
        b"{}",
        "2",
    )
    [received] = server.requests
    assert received.line == "PUT /orders/o-1 HTTP/1.1"
    assert received.body == b"{}"


def test_a_redirect_is_not_followed_and_no_cookie_is_kept() -> None:
    with ScriptedApi([always(MOVED)]).serving() as server, session_to(server) as session:
        answer = put(session, server)

    assert (answer.status_code, dict(session.cookies)) == (302, {})
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "options", [{"proxies": {"http": "http://127.0.0.1:1"}}, {"verify": False}, {"cert": "a.pem"}]
)
def test_what_it_cannot_do_for_one_request_is_refused_and_not_ignored(
    options: dict[str, object],
) -> None:
    with (
        ScriptedApi([always(OK)]).serving() as server,
        session_to(server) as session,
        pytest.raises(RequestException, match="that this transport was made with"),
    ):
        put(session, server, **options)

    assert server.requests == []


def test_no_connection_is_an_error_of_requests_kind() -> None:
    with ScriptedApi([always(OK)]).serving() as server:
        pass
    with session_to(server) as session, pytest.raises(requests.ConnectionError) as raised:
        put(session, server)

    assert isinstance(raised.value, NothingArrived)


def prepared(server: ScriptedApi, **fields: str) -> PreparedRequest:
    url = server.url.replace("{order_id}", "o-1")
    request = requests.Request("PUT", url, data=b"{}").prepare()
    request.headers.update(fields)
    return request


def test_a_request_for_another_server_or_with_a_line_break_is_not_sent() -> None:
    with ScriptedApi([always(OK)]).serving() as server:
        url = parse_api_url(server.url)
        transport = HttpTransport(url, Connections(opener(url)), seconds=5.0)
        other = prepared(server)
        other.url = "http://other.test/orders/o-1"
        with pytest.raises(InvalidURL):
            transport.send(other)
        with pytest.raises(InvalidHeader):
            transport.send(prepared(server, X="a\r\nY: b"))
        with pytest.raises(InvalidHeader):
            transport.send(prepared(server, X="\u2713"))

    assert server.requests == []


# Signing.


class Signs(AuthBase):
    def __init__(self, field: str) -> None:
        self.field = field

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        if not self.field:
            raise ValueError("s3cret")
        r.headers["X-Signed"] = self.field
        r.body = b'{"signed": true}'
        return r


class SignsWith:
    def __init__(self, auth: AuthBase) -> None:
        self._auth = auth

    def auth(self, *, seconds: float) -> AuthBase:
        del seconds
        return self._auth

    def refused(self, auth: AuthBase) -> None:
        raise AssertionError(auth)

    def hide(self, text: str, auth: AuthBase) -> str:
        raise AssertionError(text, auth)

    def close(self) -> None:
        pass


def sent_by(server: ScriptedApi, field: str) -> Attempt:
    api = HttpApi(server.url, attempt_seconds=5.0, sign_in=SignsWith(Signs(field)))
    try:
        return api.send(outgoing())
    finally:
        api.close()


def test_what_an_auth_class_makes_of_a_request_is_sent_whole() -> None:
    with ScriptedApi([always(OK)]).serving() as server:
        attempt = sent_by(server, "yes")

    [received] = server.requests
    assert attempt == Accepted(200)
    assert (received.fields["x-signed"], received.body) == ("yes", b'{"signed": true}')


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("", "The request could not be signed: Signs failed with ValueError."),
        ("a\r\nb", "The signed request cannot be sent: a header field has a line break."),
    ],
)
def test_an_auth_class_that_fails_blocks_sending_and_shows_no_secret(
    field: str, reason: str
) -> None:
    with ScriptedApi([always(OK)]).serving() as server:
        attempt = sent_by(server, field)

    assert attempt == Unauthorized(0, reason)
    assert server.requests == []
