"""The ways to sign in: what ORDERS_API_AUTH may say, and which settings each needs."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from consumer.adapters.api_tls import TlsChoice
from consumer.adapters.api_url import ApiUrl, ApiUrlUnusable, parse_api_url
from consumer.adapters.credentials import (
    CredentialUnreadable,
    FixedCredential,
    Rule,
    not_a_field_value,
    not_a_token,
    not_user_and_password,
)
from consumer.adapters.request_fields import OF_THE_TRANSPORT

WAYS = "bearer, header:NAME, basic, oauth2, sigv4, none or package.module:factory"
CREDENTIAL_SETTINGS = (
    *("ORDERS_API_TOKEN", "ORDERS_API_TOKEN_FILE", "ORDERS_API_TOKEN_SECRET"),
    "ORDERS_API_TOKEN_PARAMETER",
)
_OF_ONE_WAY = {
    "oauth2": ("token_url", "client_id", "scope"),
    "sigv4": ("sigv4_service",),
}

_FIELD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_TAKEN = OF_THE_TRANSPORT - {"proxy-authorization"} | {"accept", "content-type", "idempotency-key"}
"""What a request has already, or what would change how it is read."""


Way = Literal["bearer", "header", "basic", "oauth2", "sigv4", "none", "factory"]


@dataclass(frozen=True, slots=True)
class SignInChoice:
    """What the settings say about signing in; each field is ORDERS_API_ and its name."""

    auth: str = "bearer"
    token: SecretStr | None = None
    token_file: Path | None = None
    token_secret: str | None = None
    token_parameter: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    scope: str | None = None
    client_auth: Literal["basic", "body"] = "basic"
    sigv4_service: str | None = None
    sigv4_region: str | None = None
    insecure: bool = False
    tls: TlsChoice = field(default_factory=TlsChoice)


class SignInUnusable(ValueError):
    """The settings of signing in do not go together; the message has no full stop."""


def way_of(api_auth: str) -> Way:
    """The way that ORDERS_API_AUTH names: itself, `header`, or `factory`. Raises SignInUnusable."""
    match api_auth:
        case "bearer" | "basic" | "oauth2" | "sigv4" | "none":
            return api_auth
        case _ if api_auth.startswith("header:"):
            _check_field(header_of(api_auth))
            return "header"
        case _ if _FACTORY.fullmatch(api_auth):
            return "factory"
        case _:
            raise SignInUnusable(f"ORDERS_API_AUTH is wrong: it must be {WAYS}")


def header_of(api_auth: str) -> str:
    """The header's name in `header:NAME`."""
    return api_auth.partition(":")[2]


def rule_of(way: Way) -> Rule:
    """What the credential has to be."""
    match way:
        case "basic":
            return not_user_and_password
        case "header" | "oauth2":
            return not_a_field_value
        case _:
            return not_a_token


def credentials_named(choice: SignInChoice) -> list[str]:
    """Those of CREDENTIAL_SETTINGS that are set."""
    return [
        name
        for name in CREDENTIAL_SETTINGS
        if getattr(choice, name.removeprefix("ORDERS_API_").lower())
    ]


def check_sign_in(choice: SignInChoice) -> None:
    """Does everything that the way needs stand there, and nothing else? Raises SignInUnusable."""
    way = way_of(choice.auth)
    named = credentials_named(choice)
    for other, fields in _OF_ONE_WAY.items():
        given = [name for name in fields if getattr(choice, name)]
        if given and way != other:
            raise SignInUnusable(
                f"ORDERS_API_{given[0].upper()} is for ORDERS_API_AUTH={other}, which is "
                f"{choice.auth}; unset one of them"
            )
    if way in {"basic", "header", "oauth2"} and not named:
        raise SignInUnusable(
            f"ORDERS_API_AUTH={choice.auth} needs a credential; set one of "
            f"{', '.join(CREDENTIAL_SETTINGS[:-1])} and {CREDENTIAL_SETTINGS[-1]}"
        )
    if way in {"sigv4", "none", "factory"} and named:
        raise SignInUnusable(
            f"{named[0]} is set, but ORDERS_API_AUTH={choice.auth} sends none; unset one of them"
        )
    _check_needs(choice, way)
    try:
        FixedCredential(choice.token, rule=rule_of(way))
    except CredentialUnreadable as error:
        raise SignInUnusable(str(error).rstrip(".")) from error


def check_header_is_free(api_auth: str, taken: Collection[str]) -> None:
    """Is the header of `header:NAME` none of these? Raises SignInUnusable."""
    if way_of(api_auth) == "header" and header_of(api_auth).lower() in map(str.lower, taken):
        raise SignInUnusable(
            f"ORDERS_API_AUTH is wrong: {header_of(api_auth)} is set by ORDERS_API_HEADERS or "
            "ORDERS_API_IDEMPOTENCY_HEADER, too; keep one of them"
        )


def token_origin(token_url: str) -> ApiUrl:
    """Where the token endpoint is, written as `requests` will. Raises SignInUnusable."""
    import requests  # noqa: PLC0415 - for one way only

    try:
        parts = urlsplit(token_url)
        if not re.fullmatch(r"[!-z|~]+", token_url) or parts.fragment:
            raise ApiUrlUnusable("it may contain visible ASCII only, and no fragment (#)")
        if parts.username is not None:
            raise ApiUrlUnusable("it must not hold a user or password")
        parse_api_url(f"{parts.scheme}://{parts.netloc}/{{order_id}}")
        normal = urlsplit(requests.Request("POST", token_url).prepare().url or "")
        return parse_api_url(f"{normal.scheme}://{normal.netloc}/{{order_id}}")
    except (ValueError, requests.RequestException) as error:
        raise SignInUnusable(f"ORDERS_API_TOKEN_URL is wrong: {error}") from error


def _check_needs(choice: SignInChoice, way: Way) -> None:
    match way:
        case "oauth2":
            if not choice.token_url or not choice.client_id:
                missing = "CLIENT_ID" if choice.token_url else "TOKEN_URL"
                raise SignInUnusable(f"ORDERS_API_AUTH=oauth2 needs ORDERS_API_{missing}; set it")
            origin = token_origin(choice.token_url)
            if not (origin.secure or choice.insecure or origin.is_on_this_machine):
                raise SignInUnusable("ORDERS_API_TOKEN_URL has no TLS; use https")
        case "sigv4":
            if not choice.sigv4_service:
                raise SignInUnusable(
                    "ORDERS_API_AUTH=sigv4 needs ORDERS_API_SIGV4_SERVICE; set it, to execute-api "
                    "for API Gateway"
                )
        case "factory":
            from consumer.adapters.sign_in_by_factory import (  # noqa: PLC0415 - the others' start
                FactorySignIn,
                FactoryUnusable,
                imported_factory,
            )

            try:
                FactorySignIn(imported_factory(choice.auth), choice.auth)
            except FactoryUnusable as error:
                raise SignInUnusable(f"ORDERS_API_AUTH is wrong: {error}") from error
        case _:
            pass  # a credential, which is checked for all


def _check_field(name: str) -> None:
    if not _FIELD.fullmatch(name):
        raise SignInUnusable(
            "ORDERS_API_AUTH is wrong: what follows header: is no header's name, such as "
            "header:X-Api-Key"
        )
    if name.lower() in _TAKEN:
        raise SignInUnusable(
            f"ORDERS_API_AUTH is wrong: {name} is no header for a credential; name another"
        )
