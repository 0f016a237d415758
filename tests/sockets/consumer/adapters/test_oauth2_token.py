"""What a token endpoint answers, and what comes of it."""

import json
from contextlib import closing

import pytest
from pydantic import SecretStr

from consumer.adapters.connections import Connections
from consumer.adapters.credentials import CredentialUnreadable, FixedCredential
from consumer.adapters.http_transport import HttpTransport
from consumer.adapters.kept_fresh import Fetched
from consumer.adapters.oauth2_token import TokenGrant, token_fetcher
from consumer.adapters.opening import opener
from consumer.adapters.sign_in import SecretAuth
from consumer.adapters.sign_in_ways import token_origin
from tests.e2e.scripted_api import ScriptedApi, answering

TOKEN = {"access_token": "t0ken", "token_type": "bearer"}


def fetched(answer: bytes) -> Fetched[SecretAuth]:
    with ScriptedApi([answering(answer)]).serving() as server:
        url = f"http://127.0.0.1:{server.port}/token?x=1"
        origin = token_origin(url)
        transport = HttpTransport(origin, Connections(opener(origin)), seconds=5.0)
        with closing(transport):
            secret = FixedCredential(SecretStr("s3cret"))
            return token_fetcher(TokenGrant(url, client_id="shop"), secret, transport)()


def told(fields: object, *, status: int = 200) -> bytes:
    body = fields if isinstance(fields, str) else json.dumps(fields)
    return b"HTTP/1.1 %d It\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body.encode())


@pytest.mark.parametrize(
    ("expires_in", "renew_seconds", "valid_seconds"),
    [(3600, 3480, 3600), ("3600", 3480, 3600), (300, 200, 300), (30, 20, 30)],
)
def test_a_token_is_renewed_ahead_of_its_expiry(
    expires_in: object, renew_seconds: float, valid_seconds: float
) -> None:
    token = fetched(told({**TOKEN, "expires_in": expires_in}))

    assert token.value.credential == "t0ken"
    assert (token.renew_seconds, token.valid_seconds) == (renew_seconds, valid_seconds)


@pytest.mark.parametrize("expires_in", [None, 0, -5, "soon", True, float("nan")])
def test_a_token_without_an_expiry_is_kept_until_it_is_refused(expires_in: object) -> None:
    token = fetched(told({**TOKEN, "expires_in": expires_in}))

    assert token.valid_seconds == float("inf")


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (told("<html>"), "is no JSON"),
        (told("[" * 5_000), "is no JSON"),
        (told("[]"), "is no JSON object"),
        (told({}), "no usable access_token"),
        (told({**TOKEN, "access_token": "a\nX-Evil: 1"}), "no usable access_token"),
        (told({**TOKEN, "access_token": 7}), "no usable access_token"),
        (told({**TOKEN, "token_type": "mac"}), "no bearer token"),
        (told({"error": "invalid_scope"}, status=400), "answered 400 invalid_scope; check"),
        (told({"error": "s3cret"}, status=401), "answered 401; check"),
        (told("", status=302), "answered 302; check"),
        (told("s3cret", status=503), "answered 503; check"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "did not answer"),
    ],
)
def test_another_answer_is_named_without_what_it_holds(answer: bytes, complaint: str) -> None:
    with pytest.raises(CredentialUnreadable) as raised:
        fetched(answer)

    assert complaint in str(raised.value)
    assert "s3cret" not in str(raised.value)
