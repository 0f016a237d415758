"""Signing in as the settings say."""

from typing import assert_never

from consumer.adapters.api_tls import client_certificate
from consumer.adapters.connections import Connections
from consumer.adapters.credential_sources import credential_from
from consumer.adapters.credentials import Credential
from consumer.adapters.http_transport import HttpTransport
from consumer.adapters.oauth2_token import FETCH_SECONDS, TokenGrant, token_fetcher
from consumer.adapters.opening import opener
from consumer.adapters.sign_in import CredentialSignIn, SignIn, bearer_auth
from consumer.adapters.sign_in_by_aws import aws_auth_fetcher
from consumer.adapters.sign_in_by_factory import FactorySignIn, imported_factory
from consumer.adapters.sign_in_by_field import basic_auth, header_auth
from consumer.adapters.sign_in_renewed import RenewedSignIn
from consumer.adapters.sign_in_ways import SignInChoice, header_of, rule_of, token_origin, way_of
from consumer.adapters.tls_trust import TlsTrust


def sign_in_from(choice: SignInChoice, *, region: str) -> SignIn:
    """How requests are signed in; what expires is fetched at once, before the first turn.

    `region` is the one that `sigv4` signs for unless the choice has its own.
    """
    auth = choice.auth
    way = way_of(auth)
    credential = credential_from(
        token=choice.token,
        token_file=choice.token_file,
        token_secret=choice.token_secret,
        token_parameter=choice.token_parameter,
        rule=rule_of(way),
    )
    match way:
        case "bearer" | "none":
            return CredentialSignIn(credential, bearer_auth)
        case "header":
            return CredentialSignIn(credential, header_auth(header_of(auth)))
        case "basic":
            return CredentialSignIn(credential, basic_auth)
        case "oauth2":
            return _started(_oauth2(choice, credential))
        case "sigv4":
            return _started(_sigv4(choice, region))
        case "factory":
            return FactorySignIn(imported_factory(auth), auth)
    assert_never(way)


def _oauth2(choice: SignInChoice, secret: Credential) -> RenewedSignIn:
    url = choice.token_url or ""
    grant = TokenGrant(
        url,
        client_id=choice.client_id or "",
        scope=choice.scope,
        client_auth=choice.client_auth,
    )
    # A public issuer often serves an API with a private authority.
    tls = TlsTrust(
        ca_file=choice.tls.ca_file, client_cert=client_certificate(choice.tls), also_public=True
    )
    origin = token_origin(url)
    transport = HttpTransport(origin, Connections(opener(origin, tls=tls)), seconds=FETCH_SECONDS)
    return RenewedSignIn(token_fetcher(grant, secret, transport), source="The token endpoint")


def _sigv4(choice: SignInChoice, region: str) -> RenewedSignIn:
    fetch = aws_auth_fetcher(
        service=choice.sigv4_service or "",
        region=choice.sigv4_region or region,
    )
    return RenewedSignIn(fetch, source="What gives AWS credentials")


def _started(sign_in: RenewedSignIn) -> RenewedSignIn:
    sign_in.start()
    return sign_in
