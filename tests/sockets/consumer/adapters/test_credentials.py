from contextlib import closing
from pathlib import Path

from pydantic import SecretStr

from consumer.adapters.credential_sources import credential_from
from consumer.adapters.credentials import (
    READ_AGAIN_SECONDS,
    Credential,
    CredentialUnreadable,
    ReadCredential,
)
from consumer.adapters.http_api import HttpApi
from consumer.adapters.sign_in import BearerSignIn
from consumer.delivery.attempts import Accepted, Refused, Unauthorized
from tests.e2e.scripted_api import OK, Peer, ScriptedApi, always
from tests.support.outgoing import outgoing

SECONDS = 5.0


def only_takes(token: str) -> ScriptedApi:
    def script(peer: Peer) -> None:
        while request := peer.hear():
            right = request.fields.get("authorization") == f"Bearer {token}"
            peer.say(OK if right else b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")

    return ScriptedApi([script])


def client_of(server: ScriptedApi, credential: Credential | None) -> "closing[HttpApi]":
    sign_in = BearerSignIn(credential)
    return closing(HttpApi(server.url, attempt_seconds=SECONDS, sign_in=sign_in))


def test_a_rotated_credential_heals_without_a_restart() -> None:
    token, now = ["old"], [100.0]
    credential = ReadCredential(lambda: token[0], source="The place", clock=lambda: now[0])
    with only_takes("new").serving() as server, client_of(server, credential) as api:
        refused = api.send(outgoing())
        token[0] = "new"
        now[0] += READ_AGAIN_SECONDS
        healed = api.send(outgoing())

    assert refused == Unauthorized(401, "the API answered 401 Unauthorized")
    assert healed == Accepted(200)


def test_without_a_readable_credential_nothing_is_sent_until_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "token"
    now = [100.0]

    def read() -> str:
        if not path.exists():
            raise CredentialUnreadable("The file cannot be read.")
        return path.read_text()

    credential = ReadCredential(read, source="The file", clock=lambda: now[0])
    with only_takes("new").serving() as server, client_of(server, credential) as api:
        missing = api.send(outgoing())
        path.write_text("new\n")
        now[0] += READ_AGAIN_SECONDS
        healed = api.send(outgoing())

    assert missing == Unauthorized(0, "The file cannot be read.")
    assert healed == Accepted(200)
    assert len(server.requests) == 1


def test_without_a_credential_no_authorization_is_sent() -> None:
    with ScriptedApi([always(OK)]).serving() as server, client_of(server, None) as api:
        api.send(outgoing())

    assert "authorization" not in server.requests[0].fields


def test_a_token_that_the_api_echoes_is_not_kept_with_the_refusal() -> None:
    def echo(peer: Peer) -> None:
        while request := peer.hear():
            text = f"you sent {request.fields['authorization']}".encode()
            peer.say(b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    credential = credential_from(token=SecretStr("t0ken"))
    with ScriptedApi([echo]).serving() as server, client_of(server, credential) as api:
        attempt = api.send(outgoing())

    assert isinstance(attempt, Refused)
    assert attempt.answer == "you sent Bearer [credential]"
