"""Every way to sign in, with settings for it and the secrets that it sends."""

import base64
import json
import sys
import types
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from requests.auth import HTTPBasicAuth

from consumer.adapters.api_tls import client_certificate
from consumer.adapters.http_api import HttpApi
from consumer.adapters.sign_in_from_settings import sign_in_from
from consumer.settings import ConsumerSettings, load_settings
from tests.e2e.scripted_api import ScriptedApi
from tests.support.token_endpoint import TokenEndpoint

ATTEMPT_SECONDS = 5.0
SECRET = "s3cret-value-0001"
PASSWORD = 'pa"ss word/%'
SESSION_TOKEN = "session-token-0001"

NAMES = ("bearer", "header:X-Key", "basic", "oauth2", "sigv4", "shop_auth:make")


@dataclass(frozen=True, slots=True)
class Way:
    """The settings of one way, and what must never be seen of it."""

    settings: dict[str, str]
    secrets: tuple[str, ...]


def oauth2(endpoint: TokenEndpoint, **more: str) -> dict[str, str]:
    """The settings of `oauth2`."""
    return {
        "ORDERS_API_AUTH": "oauth2",
        "ORDERS_API_TOKEN": SECRET,
        "ORDERS_API_TOKEN_URL": endpoint.url,
        "ORDERS_API_CLIENT_ID": "shop 7",
        **more,
    }


def way(name: str, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch) -> Way:
    """One of NAMES, ready for use."""
    told = {"ORDERS_API_AUTH": name}
    match name:
        case "basic":
            pair = f"shop:{PASSWORD}"
            secrets = (pair, PASSWORD, json.dumps(PASSWORD)[1:-1], _encoded(pair))
            return Way({**told, "ORDERS_API_TOKEN": pair}, secrets)
        case "oauth2":
            return Way(oauth2(endpoint), (SECRET, "token-1", "token-2"))
        case "sigv4":
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION_TOKEN)
            return Way({**told, "ORDERS_API_SIGV4_SERVICE": "execute-api"}, (SECRET, SESSION_TOKEN))
        case "shop_auth:make":
            factories(monkeypatch, make=lambda: HTTPBasicAuth("shop", SECRET))
            return Way(told, (SECRET, _encoded(f"shop:{SECRET}")))
        case _:
            return Way({**told, "ORDERS_API_TOKEN": SECRET}, (SECRET,))


def factories(monkeypatch: pytest.MonkeyPatch, **functions: object) -> None:
    """A module `shop_auth` with these functions."""
    module = types.ModuleType("shop_auth")
    vars(module).update(functions)
    monkeypatch.setitem(sys.modules, "shop_auth", module)


def settings_for(monkeypatch: pytest.MonkeyPatch, url: str, **changes: str) -> ConsumerSettings:
    """The consumer's settings with these ones among them."""
    needed = {
        "ORDERS_STREAM": "orders-stream",
        "ORDERS_LEDGER_TABLE": "orders-ledger",
        "ORDERS_API_URL": url,
    }
    for name, value in {**needed, **changes}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@contextmanager
def client(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedApi, **changes: str
) -> Iterator[HttpApi]:
    """What sends orders to this server, as a shard process makes it."""
    settings = settings_for(monkeypatch, server.url, **changes)
    api = HttpApi(
        settings.api_url,
        attempt_seconds=ATTEMPT_SECONDS,
        sign_in=sign_in_from(settings.sign_in, region=settings.region),
        ca_file=settings.api_ca_file,
        client_cert=client_certificate(settings.api_tls),
    )
    with closing(api):
        yield api


def _encoded(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()
