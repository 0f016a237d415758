"""The settings of the third party's API: where it is, how it is signed in to, what it answers."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from consumer.adapters.api_url import parse_api_url


class ApiSettings(BaseSettings):
    """The part of the consumer's settings that says how the API is spoken to."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERS_",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    api_url: str = Field(
        description="Address that an order is sent to; `{order_id}` in its path stands for the "
        "order's id, percent-encoded. https, except on this machine."
    )
    api_token: SecretStr | None = Field(
        default=None,
        description="Credential of the API, sent as `Authorization: Bearer` unless "
        "ORDERS_API_AUTH says otherwise; never logged.",
    )
    api_token_file: Path | None = Field(
        default=None, description="File that holds the credential; read again after a 401."
    )
    api_token_secret: str | None = Field(
        default=None,
        description="Secrets Manager ARN or name of the credential; read again after a 401.",
    )
    api_token_parameter: str | None = Field(
        default=None,
        description="Parameter Store ARN or name of the credential; read again after a 401.",
    )
    api_insecure: bool = Field(
        default=False, description="Allow an address without TLS on another machine."
    )

    attempt_seconds: float = Field(
        default=30.0, gt=0, le=900, description="Deadline of one attempt, from connect to the end."
    )
    conflict: Literal["retried", "accepted", "refused"] = Field(
        default="retried",
        description="What a 409 means: `retried`: accepted if an earlier attempt may have got "
        "through, else refused; or always `accepted`, or always `refused`.",
    )

    @field_validator("api_url")
    @classmethod
    def _check_api_url(cls, given: str) -> str:
        parse_api_url(given)
        return given

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        sources = {
            "ORDERS_API_TOKEN": self.api_token,
            "ORDERS_API_TOKEN_FILE": self.api_token_file,
            "ORDERS_API_TOKEN_SECRET": self.api_token_secret,
            "ORDERS_API_TOKEN_PARAMETER": self.api_token_parameter,
        }
        named = [name for name, value in sources.items() if value]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} are both set; keep one of them")
        url = parse_api_url(self.api_url)
        if not (url.secure or self.api_insecure or url.is_on_this_machine):
            raise ValueError(
                "ORDERS_API_URL has no TLS; use https, or set ORDERS_API_INSECURE=true if the way "
                "to the API is private"
            )
        return self
