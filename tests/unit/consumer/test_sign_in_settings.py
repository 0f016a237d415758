"""Settings of signing in: each wrong one is named in one sentence, and no secret with it."""

import sys
import types
from pathlib import Path

import pytest
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from consumer.adapters.sign_in_ways import token_origin
from consumer.settings import ConsumerSettings, SettingsError, load_settings
from tests.e2e.scripted_api import certificate

URL = "https://api.example.com/orders/{order_id}"
TOKEN = {"ORDERS_API_TOKEN": "s3cret"}
OAUTH2 = {
    "ORDERS_API_AUTH": "oauth2",
    "ORDERS_API_TOKEN_URL": "https://login.example.com/token",
    "ORDERS_API_CLIENT_ID": "shop",
}


def raises() -> object:
    raise KeyError("s3cret")


@pytest.fixture(autouse=True)
def shop_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("shop_auth")
    module.make = lambda: HTTPBasicAuth("shop", "s3cret")  # type: ignore[attr-defined]
    module.digest = lambda: HTTPDigestAuth("shop", "s3cret")  # type: ignore[attr-defined]
    module.text = lambda: "s3cret"  # type: ignore[attr-defined]
    module.raises = raises  # type: ignore[attr-defined]
    module.value = 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shop_auth", module)


def load(monkeypatch: pytest.MonkeyPatch, **changes: str) -> ConsumerSettings:
    needed = {"ORDERS_STREAM": "s", "ORDERS_LEDGER_TABLE": "l", "ORDERS_API_URL": URL}
    for name, value in {**needed, **changes}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ORDERS_API_AUTH": "bearer", **TOKEN},
        {"ORDERS_API_AUTH": "none"},
        {"ORDERS_API_AUTH": "header:X-Api-Key", "ORDERS_API_TOKEN_PARAMETER": "/orders/key"},
        {"ORDERS_API_AUTH": "header:Authorization", "ORDERS_API_TOKEN": "Token abc"},
        {"ORDERS_API_AUTH": "basic", "ORDERS_API_TOKEN": "shop:two words"},
        {**OAUTH2, **TOKEN, "ORDERS_API_SCOPE": "a b", "ORDERS_API_CLIENT_AUTH": "body"},
        {"ORDERS_API_AUTH": "sigv4", "ORDERS_API_SIGV4_SERVICE": "execute-api"},
        {"ORDERS_API_AUTH": "shop_auth:make"},
    ],
)
def test_each_way_is_taken_with_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]
) -> None:
    settings = load(monkeypatch, **changes)

    assert settings.sign_in.auth == changes.get("ORDERS_API_AUTH", "bearer")
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(settings.sign_in)


@pytest.mark.parametrize(
    ("changes", "named", "advice"),
    [
        ({"ORDERS_API_AUTH": "kerberos"}, "ORDERS_API_AUTH is wrong", "header:NAME"),
        ({"ORDERS_API_AUTH": "header:"}, "ORDERS_API_AUTH is wrong", "no header's name"),
        ({"ORDERS_API_AUTH": "header:X Y", **TOKEN}, "ORDERS_API_AUTH is", "no header's name"),
        ({"ORDERS_API_AUTH": "header:Host", **TOKEN}, "ORDERS_API_AUTH is", "name another"),
        (
            {"ORDERS_API_AUTH": "header:Content-Encoding", **TOKEN},
            "ORDERS_API_AUTH is",
            "name another",
        ),
        (
            {"ORDERS_API_AUTH": "sigv4", "ORDERS_API_SIGV4_SERVICE": "execute-api\nX: 1"},
            "ORDERS_API_SIGV4_SERVICE is wrong",
            "match pattern",
        ),
        (
            {"ORDERS_API_AUTH": "header:X-Key", "ORDERS_API_HEADERS": '{"x-key": "1"}', **TOKEN},
            "ORDERS_API_AUTH is wrong: X-Key is set by ORDERS_API_HEADERS",
            "keep one",
        ),
        (
            {
                "ORDERS_API_AUTH": "header:X-Key",
                "ORDERS_API_IDEMPOTENCY_HEADER": "x-key",
                **TOKEN,
            },
            "ORDERS_API_AUTH is wrong: X-Key is set by",
            "keep one",
        ),
        ({"ORDERS_API_AUTH": "header:X-Key"}, "ORDERS_API_AUTH=header:X-Key", "set one of"),
        ({"ORDERS_API_AUTH": "basic"}, "ORDERS_API_AUTH=basic", "set one of ORDERS_API_TOKEN"),
        ({"ORDERS_API_AUTH": "basic", **TOKEN}, "ORDERS_API_TOKEN", "user:password"),
        ({"ORDERS_API_AUTH": "none", **TOKEN}, "ORDERS_API_TOKEN", "unset one"),
        ({"ORDERS_API_AUTH": "sigv4"}, "ORDERS_API_AUTH=sigv4", "ORDERS_API_SIGV4_SERVICE"),
        (
            {"ORDERS_API_AUTH": "sigv4", "ORDERS_API_SIGV4_SERVICE": "x", **TOKEN},
            "ORDERS_API_TOKEN",
            "unset one",
        ),
        ({**TOKEN, "ORDERS_API_AUTH": "oauth2"}, "ORDERS_API_AUTH=oauth2", "ORDERS_API_TOKEN_URL"),
        (
            {**TOKEN, **OAUTH2, "ORDERS_API_CLIENT_ID": ""},
            "ORDERS_API_AUTH=oauth2",
            "ORDERS_API_CLIENT_ID",
        ),
        (OAUTH2, "ORDERS_API_AUTH=oauth2", "set one of"),
        (
            {**TOKEN, **OAUTH2, "ORDERS_API_TOKEN_URL": "http://login.example.com/t"},
            "ORDERS_API_TOKEN_URL",
            "use https",
        ),
        (
            {**TOKEN, **OAUTH2, "ORDERS_API_TOKEN_URL": "login.example.com"},
            "ORDERS_API_TOKEN_URL",
            "http:// or https://",
        ),
        (
            {**TOKEN, **OAUTH2, "ORDERS_API_TOKEN_URL": "https://*.example.com/t"},
            "ORDERS_API_TOKEN_URL",
            "is no name or address of a host",
        ),
        (
            {"ORDERS_API_CLIENT_ID": "shop"},
            "ORDERS_API_CLIENT_ID",
            "ORDERS_API_AUTH=oauth2",
        ),
        ({"ORDERS_API_CLIENT_AUTH": "jwt"}, "ORDERS_API_CLIENT_AUTH", "'basic' or 'body'"),
        (
            {**TOKEN, "ORDERS_API_TOKEN_PARAMETER": "/orders/key"},
            "ORDERS_API_TOKEN and ORDERS_API_TOKEN_PARAMETER",
            "keep one",
        ),
        ({"ORDERS_API_AUTH": "no.such:make"}, "ORDERS_API_AUTH is wrong", "cannot be imported"),
        ({"ORDERS_API_AUTH": "shop_auth:gone"}, "ORDERS_API_AUTH is wrong", "no attribute 'gone'"),
        ({"ORDERS_API_AUTH": "shop_auth:value"}, "ORDERS_API_AUTH is wrong", "no function"),
        ({"ORDERS_API_AUTH": "shop_auth:text"}, "ORDERS_API_AUTH is wrong", "gives a str"),
        ({"ORDERS_API_AUTH": "shop_auth:raises"}, "ORDERS_API_AUTH is wrong", "raised KeyError"),
        ({"ORDERS_API_AUTH": "shop_auth:digest"}, "ORDERS_API_AUTH is wrong", "two requests"),
        ({"ORDERS_API_AUTH": "shop_auth:make", **TOKEN}, "ORDERS_API_TOKEN", "unset one"),
    ],
)
def test_a_wrong_way_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], named: str, advice: str
) -> None:
    sentence = refused(monkeypatch, changes)

    assert sentence.startswith(named)
    assert advice in sentence
    assert "s3cret" not in sentence


@pytest.mark.parametrize(
    ("files", "named", "advice"),
    [
        ({"CERT": "none.pem"}, "ORDERS_API_CERT_FILE, ", "No such file"),
        ({"CERT": "certificate.pem"}, "ORDERS_API_CERT_FILE, ", "ORDERS_API_KEY_FILE"),
        ({"CERT": "key.pem"}, "ORDERS_API_CERT_FILE, ", "no certificate"),
        ({"CERT": "certificate.pem", "KEY": "none.pem"}, "ORDERS_API_KEY_FILE, ", "No such file"),
        ({"CERT": "certificate.pem", "KEY": "other/key.pem"}, "ORDERS_API_KEY_FILE, ", "mismatch"),
        ({"CERT": "certificate.pem", "KEY": "locked.pem"}, "ORDERS_API_KEY_FILE, ", "passphrase"),
        ({"CERT": "certificate.pem", "KEY": "broken.pem"}, "ORDERS_API_KEY_FILE, ", "together"),
        ({"KEY": "key.pem"}, "ORDERS_API_KEY_FILE", "ORDERS_API_CERT_FILE"),
        ({"CA": "none.pem"}, "ORDERS_API_CA_FILE, ", "No such file"),
        ({"CA": "key.pem"}, "ORDERS_API_CA_FILE, ", "no certificate"),
    ],
)
def test_a_certificate_of_no_use_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    files: dict[str, str],
    named: str,
    advice: str,
) -> None:
    certificate(tmp_path)
    (tmp_path / "other").mkdir()
    certificate(tmp_path / "other")
    key = (tmp_path / "key.pem").read_text()
    (tmp_path / "locked.pem").write_text(key.replace("PRIVATE", "ENCRYPTED PRIVATE"))
    (tmp_path / "broken.pem").write_text(key[:-60] + key[-40:])
    changes = {f"ORDERS_API_{name}_FILE": str(tmp_path / file) for name, file in files.items()}

    sentence = refused(monkeypatch, changes)

    assert sentence.startswith(named)
    assert advice in sentence
    assert key.splitlines()[1] not in sentence


def test_two_places_of_a_key_are_one_too_many(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changes = {
        "ORDERS_API_CERT_FILE": str(certificate(tmp_path).ca_file),
        "ORDERS_API_KEY_FILE": str(tmp_path / "key.pem"),
        "ORDERS_API_KEY_SECRET": "orders-key",
    }

    assert refused(monkeypatch, changes).endswith("are both set; keep one of them.")


def test_a_certificate_needs_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changes = {
        "ORDERS_API_URL": "http://127.0.0.1:1/{order_id}",
        "ORDERS_API_CA_FILE": str(certificate(tmp_path).ca_file),
    }

    assert refused(monkeypatch, changes).endswith("ORDERS_API_URL needs https.")


def refused(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **changes)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_token_endpoint_is_found_however_its_host_is_written() -> None:
    assert (
        token_origin("HTTPS://Login.Example.COM:8443/t").origin == "https://login.example.com:8443"
    )
