"""The settings that say how the API is signed in to, beside the credential itself."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from consumer.adapters.api_tls import TlsChoice, check_tls
from consumer.adapters.request_fields import parse_headers
from consumer.adapters.sign_in_ways import (
    SignInChoice,
    check_header_is_free,
    check_sign_in,
)
from consumer.api_settings import ApiSettings


class SignInSettings(ApiSettings):
    """The part of the consumer's settings that says how requests are signed in."""

    api_auth: str = Field(
        default="bearer",
        description="How requests are signed in (docs/how-to/sign-in.md): `bearer`, "
        "`header:NAME`, `basic`, `oauth2`, `sigv4`, `none`, or `package.module:factory`, which "
        "gives a `requests.auth.AuthBase`.",
    )
    api_token_url: str | None = Field(
        default=None, description="Token endpoint of `oauth2`, by the client credentials grant."
    )
    api_client_id: str | None = Field(
        default=None, description="Client id of `oauth2`; its secret is the credential."
    )
    api_scope: str | None = Field(
        default=None, description="Scope that `oauth2` asks for, if the endpoint needs one."
    )
    api_client_auth: Literal["basic", "body"] = Field(
        default="basic",
        description="Where `oauth2` sends client id and secret: as Basic, or in the form's body.",
    )
    api_sigv4_service: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Service that `sigv4` signs for, such as `execute-api`.",
    )
    api_sigv4_region: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]+$",
        description="Region that `sigv4` signs for. Unset: the region of stream and ledger.",
    )
    api_cert_file: Path | None = Field(
        default=None,
        description="PEM file of the client certificate, with or without its key; read again "
        "when it changes.",
    )
    api_key_file: Path | None = Field(
        default=None, description="PEM file of the client certificate's key, without passphrase."
    )
    api_key_secret: str | None = Field(
        default=None,
        description="Secrets Manager ARN or name of the client certificate's key, in PEM form.",
    )
    api_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authorities that the API's certificate may come from; "
        "public ones are then not trusted.",
    )

    @property
    def api_tls(self) -> TlsChoice:
        """What these settings say about authorities and a client certificate."""
        return TlsChoice(
            cert_file=self.api_cert_file,
            key_file=self.api_key_file,
            key_secret=self.api_key_secret,
            ca_file=self.api_ca_file,
        )

    @property
    def sign_in(self) -> SignInChoice:
        """What these settings say about signing in."""
        return SignInChoice(
            auth=self.api_auth,
            token=self.api_token,
            token_file=self.api_token_file,
            token_secret=self.api_token_secret,
            token_parameter=self.api_token_parameter,
            token_url=self.api_token_url,
            client_id=self.api_client_id,
            scope=self.api_scope,
            client_auth=self.api_client_auth,
            sigv4_service=self.api_sigv4_service,
            sigv4_region=self.api_sigv4_region,
            insecure=self.api_insecure,
            tls=self.api_tls,
        )

    @model_validator(mode="after")
    def _check_sign_in(self) -> Self:
        if self.api_cert_file or self.api_key_file or self.api_key_secret or self.api_ca_file:
            check_tls(self.api_tls, self.api_url)
        check_sign_in(self.sign_in)
        check_header_is_free(
            self.api_auth, {*parse_headers(self.api_headers), self.api_idempotency_header}
        )
        return self
