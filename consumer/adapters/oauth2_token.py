"""Fetching a token by OAuth 2's client credentials grant (RFC 6749, section 4.4)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal
from urllib.parse import quote_plus

import requests
from requests import PreparedRequest
from requests.auth import HTTPBasicAuth
from requests.exceptions import RequestException

from consumer.adapters.credentials import Credential, CredentialUnreadable, not_a_token
from consumer.adapters.http_transport import HttpTransport, WholeAnswer
from consumer.adapters.kept_fresh import Fetched
from consumer.adapters.sign_in import SecretAuth, bearer_auth

FETCH_SECONDS = 15.0
RENEW_AHEAD_SECONDS = 120.0
"""How long before its expiry a token is replaced; of a short life, its last third."""

_LIVES_SECONDS = 10 * 365 * 86_400.0  # longer is no promise
_ERROR_CODES = frozenset(  # RFC 6749, section 5.2
    (
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    )
)
_OK = 200
_REFUSED = frozenset((400, 401, 403))


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """Who asks which endpoint for a token, and how it says who it is."""

    token_url: str
    client_id: str
    scope: str | None = None
    client_auth: Literal["basic", "body"] = "basic"


def token_fetcher(
    grant: TokenGrant, secret: Credential, transport: HttpTransport
) -> Callable[[], Fetched[SecretAuth]]:
    """What fetches a token; it raises CredentialUnreadable, whose text shows nothing received."""

    def fetch() -> Fetched[SecretAuth]:
        password = secret.token(seconds=FETCH_SECONDS) or ""
        try:
            answer = transport.send(_request(grant, password), timeout=FETCH_SECONDS)
        except RequestException as error:
            raise CredentialUnreadable(f"The token endpoint did not answer: {error}.") from error
        finally:
            transport.close()  # the next fetch is far away
        if answer.status_code != _OK:
            if answer.status_code in _REFUSED:
                secret.refused(password)
            raise CredentialUnreadable(
                f"The token endpoint (ORDERS_API_TOKEN_URL) answered {answer.status_code}"
                f"{_error_code(answer)}; check ORDERS_API_CLIENT_ID and the client's secret."
            )
        return _token(answer)

    return fetch


def _request(grant: TokenGrant, password: str) -> PreparedRequest:
    form = {"grant_type": "client_credentials"}
    if grant.scope:
        form["scope"] = grant.scope
    auth = None
    if grant.client_auth == "basic":
        # RFC 6749, section 2.3.1: each is form-encoded first.
        auth = HTTPBasicAuth(quote_plus(grant.client_id), quote_plus(password))
    else:
        form |= {"client_id": grant.client_id, "client_secret": password}
    headers = {
        "User-Agent": "paced-orders",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    request = requests.Request("POST", grant.token_url, headers=headers, data=form, auth=auth)
    return request.prepare()


def _token(answer: WholeAnswer) -> Fetched[SecretAuth]:
    fields = _fields(answer)
    token, kind = fields.get("access_token"), fields.get("token_type", "Bearer")
    if not isinstance(token, str) or not_a_token(token) is not None:
        raise CredentialUnreadable("The token endpoint's answer has no usable access_token.")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise CredentialUnreadable("The token endpoint gave a token that is no bearer token.")
    lives = fields.get("expires_in")
    if isinstance(lives, str) and re.fullmatch(r"[0-9]{1,10}", lives):
        lives = int(lives)
    if isinstance(lives, bool) or not isinstance(lives, int | float) or not lives > 0:
        return Fetched(bearer_auth(token), renew_seconds=_LIVES_SECONDS, valid_seconds=inf)
    lives = float(min(lives, _LIVES_SECONDS))
    renew_seconds = lives - min(RENEW_AHEAD_SECONDS, lives / 3)
    return Fetched(bearer_auth(token), renew_seconds=renew_seconds, valid_seconds=lives)


def _error_code(answer: WholeAnswer) -> str:
    """The error's code: of what a server says, the only part that cannot hold a secret."""
    try:
        code = _fields(answer).get("error")
    except CredentialUnreadable:
        return ""
    return f" {code}" if isinstance(code, str) and code in _ERROR_CODES else ""


def _fields(answer: WholeAnswer) -> dict[str, object]:
    try:
        fields = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise CredentialUnreadable("The token endpoint's answer is no JSON.") from error
    if not isinstance(fields, dict):
        raise CredentialUnreadable("The token endpoint's answer is no JSON object.")
    return fields
