"""Every way to sign in, against real servers: an API, a token endpoint, mutual TLS."""

import base64
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import moto
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests import PreparedRequest
from requests.auth import AuthBase

from consumer.adapters.http_api import HttpApi
from consumer.delivery.attempts import Accepted, Attempt, Unauthorized, Unavailable
from tests.e2e.scripted_api import OK, Certificate, Peer, ScriptedApi, always, certificate
from tests.support.eventually import eventually
from tests.support.outgoing import outgoing
from tests.support.token_endpoint import TokenEndpoint, answer
from tests.support.ways_to_sign_in import PASSWORD, SECRET, client, factories, oauth2


def wants(**fields: str) -> ScriptedApi:
    """An API that takes requests with these header fields, and answers others with 401."""

    def script(peer: Peer) -> None:
        while request := peer.hear():
            right = all(
                request.fields.get(name.replace("_", "-")) == v for name, v in fields.items()
            )
            peer.say(OK if right else answer(401, "no"))

    return ScriptedApi([script])


# A credential in a header.


def test_header_sends_the_credential_as_that_header(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"ORDERS_API_AUTH": "header:X-Api-Key", "ORDERS_API_TOKEN": SECRET}
    with wants(x_api_key=SECRET).serving() as server, client(monkeypatch, server, **told) as api:
        assert api.send(outgoing()) == Accepted(200)

    assert "authorization" not in server.requests[0].fields


def test_header_may_send_a_scheme_of_the_apis_own(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"ORDERS_API_AUTH": "header:Authorization", "ORDERS_API_TOKEN": f"Token {SECRET}"}
    with (
        wants(authorization=f"Token {SECRET}").serving() as server,
        client(monkeypatch, server, **told) as api,
    ):
        assert api.send(outgoing()) == Accepted(200)


def test_basic_sends_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"ORDERS_API_AUTH": "basic", "ORDERS_API_TOKEN": f"shop:{PASSWORD}:1"}
    encoded = base64.b64encode(f"shop:{PASSWORD}:1".encode()).decode()
    with (
        wants(authorization=f"Basic {encoded}").serving() as server,
        client(monkeypatch, server, **told) as api,
    ):
        assert api.send(outgoing()) == Accepted(200)


def test_none_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        ScriptedApi([always(OK)]).serving() as server,
        client(monkeypatch, server, ORDERS_API_AUTH="none") as api,
    ):
        api.send(outgoing())

    assert "authorization" not in server.requests[0].fields


def test_a_password_that_is_rotated_in_its_file_heals_without_a_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("consumer.adapters.credentials.READ_AGAIN_SECONDS", 0.0)
    path = tmp_path / "credential"
    path.write_text("shop:old\n")
    told = {"ORDERS_API_AUTH": "basic", "ORDERS_API_TOKEN_FILE": str(path)}
    encoded = base64.b64encode(b"shop:new").decode()
    with (
        wants(authorization=f"Basic {encoded}").serving() as server,
        client(monkeypatch, server, **told) as api,
    ):
        refused = api.send(outgoing())
        path.write_text("shop:new\n")
        healed = api.send(outgoing())

    assert isinstance(refused, Unauthorized)
    assert healed == Accepted(200)


# OAuth 2.


def test_oauth2_sends_a_token_of_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        TokenEndpoint().serving() as endpoint,
        wants(authorization="Bearer token-1").serving() as s,
        client(monkeypatch, s, **oauth2(endpoint, ORDERS_API_SCOPE="orders:write")) as api,
    ):
        attempts = [api.send(outgoing()) for _ in range(3)]

    assert attempts == [Accepted(200)] * 3
    assert endpoint.given == 1
    assert endpoint.form == {"grant_type": ["client_credentials"], "scope": ["orders:write"]}
    encoded = base64.b64encode(f"shop+7:{SECRET}".encode()).decode()
    assert endpoint.asked[0].fields["authorization"] == f"Basic {encoded}"


def test_oauth2_may_send_the_clients_secret_in_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        TokenEndpoint().serving() as endpoint,
        ScriptedApi([always(OK)]).serving() as server,
        client(monkeypatch, server, **oauth2(endpoint, ORDERS_API_CLIENT_AUTH="body")) as api,
    ):
        api.send(outgoing())

    assert endpoint.form["client_id"] == ["shop 7"]
    assert endpoint.form["client_secret"] == [SECRET]
    assert "authorization" not in endpoint.asked[0].fields


def test_a_token_is_there_before_the_first_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        TokenEndpoint().serving() as endpoint,
        ScriptedApi([always(OK)]).serving() as server,
        client(monkeypatch, server, **oauth2(endpoint)),
    ):
        eventually(lambda: endpoint.given == 1)

    assert server.requests == []


def test_a_token_is_replaced_ahead_of_its_expiry_in_mid_drain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first_seen: dict[str, float] = {}

    def valid(peer: Peer) -> None:
        while request := peer.hear():
            now = time.monotonic()
            age = now - first_seen.setdefault(request.fields["authorization"], now)
            peer.say(OK if age < 3 else answer(401, "expired"))

    attempts: list[Attempt] = []

    def second_token_is_sent(api: HttpApi) -> bool:
        attempts.append(api.send(outgoing()))
        return server.requests[-1].fields["authorization"] == "Bearer token-2"

    with (
        TokenEndpoint(expires_in=3).serving() as endpoint,
        ScriptedApi([valid]).serving() as server,
        client(monkeypatch, server, **oauth2(endpoint)) as api,
    ):
        eventually(lambda: second_token_is_sent(api))

    assert set(attempts) == {Accepted(200)}
    assert len(attempts) > 2


def test_a_token_that_the_api_refuses_is_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.adapters.kept_fresh.READ_AGAIN_SECONDS", 0.0)
    with (
        TokenEndpoint().serving() as endpoint,
        wants(authorization="Bearer token-2").serving() as s,
        client(monkeypatch, s, **oauth2(endpoint)) as api,
    ):
        refused = api.send(outgoing())
        eventually(lambda: endpoint.given == 2)
        eventually(lambda: api.send(outgoing()) == Accepted(200))

    assert isinstance(refused, Unauthorized)


def test_an_endpoint_that_refuses_the_client_blocks_sending_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        TokenEndpoint(fails=401).serving() as endpoint,
        ScriptedApi([always(OK)]).serving() as s,
        client(monkeypatch, s, **oauth2(endpoint)) as api,
    ):
        attempt = api.send(outgoing())

    assert isinstance(attempt, Unauthorized)
    assert "answered 401 invalid_client; check ORDERS_API_CLIENT_ID" in attempt.reason
    assert s.requests == []


def test_a_client_secret_that_is_rotated_in_its_file_heals_without_a_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("consumer.adapters.credentials.READ_AGAIN_SECONDS", 0.0)
    path = tmp_path / "credential"
    path.write_text("old-secret")
    with TokenEndpoint(fails=401).serving() as endpoint, ScriptedApi([always(OK)]).serving() as s:
        told = oauth2(endpoint, ORDERS_API_TOKEN_FILE=str(path))
        del told["ORDERS_API_TOKEN"]
        with client(monkeypatch, s, **told) as api:
            refused = api.send(outgoing())
            path.write_text("new-secret")
            endpoint.fails = None
            eventually(lambda: api.send(outgoing()) == Accepted(200))

    assert isinstance(refused, Unauthorized)
    encoded = base64.b64encode(b"shop+7:new-secret").decode()
    assert endpoint.asked[-1].fields["authorization"] == f"Basic {encoded}"


# Signature Version 4.


def test_sigv4_is_what_botocore_itself_would_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token-0001")
    told = {"ORDERS_API_AUTH": "sigv4", "ORDERS_API_SIGV4_SERVICE": "execute-api"}
    with (
        ScriptedApi([always(OK)]).serving() as server,
        client(monkeypatch, server, **told) as api,
    ):
        assert api.send(outgoing("a/../b ü?x=1", b'{"n":1}')) == Accepted(200)

    (received,) = server.requests
    fields = dict(received.fields)
    signature = fields.pop("authorization")
    assert fields["x-amz-security-token"] == "session-token-0001"
    assert "/eu-central-1/execute-api/aws4_request" in signature
    assert "content-type;host;idempotency-key" in signature
    assert signature == signed_by_botocore(received.line, fields, received.body)


def signed_by_botocore(line: str, fields: dict[str, str], body: bytes) -> str:
    """The signature of a request as it arrived, at the time that it names."""
    method, target, _ = line.split(" ")
    url = f"http://{fields['host']}{target}"
    token = fields.get("x-amz-security-token")
    signer = SigV4Auth(Credentials("testing", "testing", token), "execute-api", "eu-central-1")
    request = AWSRequest(method=method, url=url, data=body, headers=fields)
    request.context["timestamp"] = fields["x-amz-date"]
    canonical = signer.canonical_request(request)
    string_to_sign = signer.string_to_sign(request, canonical)
    names = signer.signed_headers(signer.headers_to_sign(request))
    signature = signer.signature(string_to_sign, request)
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
        f"Signature={signature}"
    )


# An auth class of one's own.


class Stamped(AuthBase):
    def __init__(self, stamp: str) -> None:
        self.stamp = stamp

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["X-Stamp"] = f"{self.stamp} {len(r.body or b'')}"
        return r


def test_a_factory_gives_the_auth_and_is_called_again_after_a_401(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consumer.adapters.credentials.READ_AGAIN_SECONDS", 0.0)
    stamp = ["old"]
    factories(monkeypatch, make=lambda: Stamped(stamp[0]))
    with (
        wants(x_stamp="new 2").serving() as server,
        client(monkeypatch, server, ORDERS_API_AUTH="shop_auth:make") as api,
    ):
        refused = api.send(outgoing())
        stamp[0] = "new"
        healed = api.send(outgoing())

    assert isinstance(refused, Unauthorized)
    assert healed == Accepted(200)


def test_an_auth_class_that_fails_blocks_sending_and_shows_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Fails(AuthBase):
        def __call__(self, r: PreparedRequest) -> PreparedRequest:
            raise KeyError(SECRET, r)

    factories(monkeypatch, make=Fails)
    with (
        ScriptedApi([always(OK)]).serving() as server,
        client(monkeypatch, server, ORDERS_API_AUTH="shop_auth:make") as api,
    ):
        attempt = api.send(outgoing())

    assert isinstance(attempt, Unauthorized)
    assert "failed with KeyError" in attempt.reason
    assert SECRET not in attempt.reason


@pytest.mark.parametrize(
    ("field", "value", "url", "complaint"),
    [
        ("X-Key", f"{SECRET}\r\nX-Evil: 1", "", "a header's value that cannot be sent"),
        ("X-Key", f"{SECRET}\u2603", "", "a header's value that cannot be sent"),
        ("X-Key", SECRET, "http://elsewhere.example/", "the request's host"),
    ],
)
def test_an_auth_class_that_sets_what_cannot_be_sent_blocks_sending_too(
    monkeypatch: pytest.MonkeyPatch, field: str, value: str, url: str, complaint: str
) -> None:
    class Sets(AuthBase):
        def __call__(self, r: PreparedRequest) -> PreparedRequest:
            r.headers[field] = value
            r.url = url or r.url
            return r

    factories(monkeypatch, make=Sets)
    with (
        ScriptedApi([always(OK)]).serving() as server,
        client(monkeypatch, server, ORDERS_API_AUTH="shop_auth:make") as api,
    ):
        attempt = api.send(outgoing())

    assert attempt == Unauthorized(0, f"The auth class of ORDERS_API_AUTH sets {complaint}.")
    assert server.requests == []


# Client certificates.


@contextmanager
def mutual(trusted: Path, shown: Certificate) -> Iterator[ScriptedApi]:
    shown.context.verify_mode = ssl.CERT_REQUIRED
    shown.context.load_verify_locations(trusted)
    shown.context.maximum_version = ssl.TLSVersion.TLSv1_2  # a refusal shows in the handshake
    with ScriptedApi([always(OK)], shown.context).serving() as server:
        yield server


@pytest.fixture
def shown(tmp_path: Path) -> Certificate:
    return certificate(made(tmp_path / "server"))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_client_certificate_is_shown_to_an_api_with_a_private_authority(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shown: Certificate
) -> None:
    ours = certificate(made(tmp_path / "client")).ca_file
    told = {
        "ORDERS_API_CERT_FILE": str(ours),
        "ORDERS_API_KEY_FILE": str(ours.with_name("key.pem")),
        "ORDERS_API_CA_FILE": str(shown.ca_file),
    }
    with mutual(ours, shown) as server, client(monkeypatch, server, **told) as api:
        assert api.send(outgoing()) == Accepted(200)


def test_certificate_and_key_may_share_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shown: Certificate
) -> None:
    ours = certificate(made(tmp_path / "client")).ca_file
    both = tmp_path / "both.pem"
    both.write_bytes(ours.with_name("key.pem").read_bytes() + ours.read_bytes())
    told = {"ORDERS_API_CERT_FILE": str(both), "ORDERS_API_CA_FILE": str(shown.ca_file)}
    with mutual(ours, shown) as server, client(monkeypatch, server, **told) as api:
        assert api.send(outgoing()) == Accepted(200)


def test_a_key_of_secrets_manager_is_never_on_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shown: Certificate
) -> None:
    ours = certificate(made(tmp_path / "client")).ca_file
    key = ours.with_name("key.pem")
    told = {
        "ORDERS_API_CERT_FILE": str(ours),
        "ORDERS_API_KEY_SECRET": "orders-key",
        "ORDERS_API_CA_FILE": str(shown.ca_file),
    }
    with (
        moto.mock_aws(),
        mutual(ours, shown) as server,
        client(monkeypatch, server, **told) as api,
    ):
        missing = api.send(outgoing())
        secrets = boto3.client("secretsmanager", region_name="eu-central-1")
        secrets.create_secret(Name="orders-key", SecretString=key.read_text())
        key.unlink()
        found = api.send(outgoing())

    assert isinstance(missing, Unavailable)
    assert "(ORDERS_API_KEY_SECRET) cannot be read: ResourceNotFound" in missing.reason
    assert found == Accepted(200)


def test_a_replaced_certificate_is_shown_from_the_next_connection_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shown: Certificate
) -> None:
    old, new = (certificate(made(tmp_path / name)).ca_file for name in ("old", "new"))
    both = tmp_path / "both.pem"
    told = {"ORDERS_API_CERT_FILE": str(both), "ORDERS_API_CA_FILE": str(shown.ca_file)}
    both.write_bytes(old.with_name("key.pem").read_bytes() + old.read_bytes())
    with mutual(new, shown) as server, client(monkeypatch, server, **told) as api:
        refused = api.send(outgoing())
        both.write_bytes(b"half a certificate")
        still_refused = api.send(outgoing())
        both.write_bytes(new.with_name("key.pem").read_bytes() + new.read_bytes())
        accepted = api.send(outgoing())

    assert isinstance(refused, Unavailable)
    assert isinstance(still_refused, Unavailable)
    assert not refused.may_have_arrived
    assert accepted == Accepted(200)
