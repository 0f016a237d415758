"""The settings of the third party's API: where it is, how it is signed in to, what it answers."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from consumer.adapters.answer_table import AnswerTable, parse_statuses
from consumer.adapters.api_shape import ApiShape
from consumer.adapters.api_url import parse_api_url
from consumer.adapters.batch_answer import parse_result_names
from consumer.adapters.batch_body import BatchFormat
from consumer.adapters.batch_shape import BatchShape
from consumer.adapters.body_template import BodyTemplateUnusable, parse_body_template
from consumer.adapters.request_fields import (
    FieldsUnusable,
    check_apart,
    parse_content_type,
    parse_headers,
    parse_idempotency_header,
)
from consumer.adapters.request_target import CUSTOMER_ID, ORDER_ID


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
        description="Address that an order is sent to; `{order_id}`, `{customer_id}` and "
        "`{upload}` in its path stand for the order's own, percent-encoded. With POST it may do "
        "without `{order_id}`. https, except on this machine."
    )
    api_method: Literal["PUT", "POST", "PATCH"] = Field(
        default="PUT", description="Method of the request."
    )
    api_headers: str = Field(
        default="{}",
        repr=False,
        description="Further headers of each request, a JSON object: "
        '`{"X-Shop": "12", "X-Env": "prod"}`. Not for the credential.',
    )
    api_idempotency_header: str = Field(
        default="Idempotency-Key",
        description="Header that carries an order's idempotency key; `none` to send none.",
    )
    api_content_type: str = Field(
        default="application/json", description="Content type of the request."
    )
    api_body: str = Field(
        default="{body}",
        description="Body of the request: the order as it came, or wrapped, such as "
        '`{"order": {body}}`; it may hold `{order_id}`, `{upload}` and `{line}` too.',
    )
    api_statuses: str = Field(
        default="",
        description="Statuses that mean something else than docs/api-answers.md says: "
        "`404=accepted,422=retry`; meanings are `accepted`, `refused`, `conflict`, `retry`, "
        "`throttled`, `unauthorized`.",
    )
    batch: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Orders in one request, at most. More than 1 needs an ORDERS_API_URL without "
        "`{order_id}`; a change wants a stopped consumer.",
    )
    batch_format: BatchFormat = Field(
        default=BatchFormat.ARRAY,
        description="How a batch stands in the body: `array`, a JSON array, or `ndjson`, an order "
        "a line.",
    )
    batch_linger_seconds: float = Field(
        default=2.0,
        ge=0,
        le=3600,
        description="How long a batch that could be sent waits for more orders.",
    )
    batch_results: str = Field(
        default="",
        description="Where the API's answer has a result for each order of a batch: "
        "`LIST:ID,STATUS` names the list and two fields of its items, `results:order_id,status`; "
        "`LIST:STATUS` where items stand in the order of the request. Unset: one status for all.",
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

    @property
    def api_shape(self) -> ApiShape:
        """What these settings say about requests and answers."""
        return ApiShape(
            method=self.api_method,
            headers=parse_headers(self.api_headers),
            idempotency_header=parse_idempotency_header(self.api_idempotency_header),
            content_type=self._batch_content_type,
            body=parse_body_template(self.api_body, content_type=self.api_content_type),
            answers=AnswerTable(parse_statuses(self.api_statuses)),
            batch=BatchShape(
                self.batch_format,
                parse_result_names(self.batch_results) if self.batch_results else None,
            ),
        )

    @property
    def _batch_content_type(self) -> str:
        """Lines of JSON are no JSON: unless another type is set, they are called what they are."""
        is_usual = self.api_content_type == BatchFormat.ARRAY.content_type
        if self.batch > 1 and is_usual:
            return self.batch_format.content_type
        return self.api_content_type

    @field_validator("batch_results")
    @classmethod
    def _check_batch_results(cls, given: str) -> str:
        if given:
            parse_result_names(given)
        return given

    @field_validator("api_url")
    @classmethod
    def _check_api_url(cls, given: str) -> str:
        parse_api_url(given)
        return given

    @field_validator("api_statuses")
    @classmethod
    def _check_statuses(cls, given: str) -> str:
        parse_statuses(given)
        return given

    @field_validator("api_headers")
    @classmethod
    def _check_headers(cls, given: str) -> str:
        parse_headers(given)
        return given

    @field_validator("api_idempotency_header")
    @classmethod
    def _check_idempotency_header(cls, given: str) -> str:
        parse_idempotency_header(given)
        return given

    @field_validator("api_content_type")
    @classmethod
    def _check_content_type(cls, given: str) -> str:
        return parse_content_type(given)

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        try:
            parse_body_template(self.api_body, content_type=self.api_content_type)
        except BodyTemplateUnusable as error:
            raise ValueError(f"ORDERS_API_BODY is wrong: {error}") from error
        try:
            key_header = parse_idempotency_header(self.api_idempotency_header)
            check_apart(parse_headers(self.api_headers), key_header)
        except FieldsUnusable as error:
            raise ValueError(f"ORDERS_API_HEADERS is wrong: {error}") from error
        self._check_batch()
        names_the_order = parse_api_url(self.api_url).target.names_the_order
        if self.batch > 1:
            return self
        if not names_the_order and self.api_method != "POST":
            raise ValueError(
                f"ORDERS_API_URL is wrong: {self.api_method} needs {ORDER_ID} in its path; "
                "add it, or set ORDERS_API_METHOD=POST"
            )
        return self

    def _check_batch(self) -> None:
        if self.batch == 1:
            return
        for placeholder in (ORDER_ID, CUSTOMER_ID):
            if placeholder in self.api_url:
                raise ValueError(
                    f"ORDERS_BATCH is {self.batch}, and ORDERS_API_URL has {placeholder} in its "
                    "path; take it out, or set ORDERS_BATCH=1"
                )
        if "json" not in self.api_content_type.lower():
            raise ValueError(
                f"ORDERS_BATCH is {self.batch}, and ORDERS_API_CONTENT_TYPE is no JSON; change one "
                "of them"
            )

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
