"""Which settings does the `orders` command read, and are they sound?

All are environment variables, the same ones that Lambda and consumer run with. None is needed by
every command, so each says what it needs by `require`.
"""

from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from consumer.setting_sentence import sentence_of
from orders_cli.failures import SettingWrong

_FOLDER = r"^[^/\s][^\s]*/$"


class CommandSettings(BaseSettings):
    """Every setting of the command. Each is an environment variable of the same name."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERS_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    ledger_table: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_.-]{3,255}$",
            description="DynamoDB table of the ledger (output LedgerTableName of the stack).",
        ),
    ] = None
    bucket: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            description="S3 bucket that takes the uploads (output BucketName of the stack).",
        ),
    ] = None
    upload_prefix: Annotated[
        str, Field(pattern=_FOLDER, description="Objects below this prefix are uploads of orders.")
    ] = "uploads/"
    report_prefix: Annotated[
        str, Field(pattern=_FOLDER, description="Reports of invalid lines are below this prefix.")
    ] = "reports/"
    stream: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_.-]{1,128}$",
            description="Kinesis stream of the orders (output StreamName of the stack).",
        ),
    ] = None
    retention_hours: Annotated[
        int, Field(ge=24, le=8760, description="Retention of the stream, for the runway.")
    ] = 2160
    intake_queue_url: Annotated[
        str | None,
        Field(pattern=r"^https?://", description="Queue of the uploads' events."),
    ] = None
    intake_dead_letter_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://",
            description="Queue of the events that could not be read; unset: the one that "
            "ORDERS_INTAKE_QUEUE_URL names as its dead-letter queue.",
        ),
    ] = None
    line_bytes: Annotated[
        int, Field(ge=256, le=700_000, description="Longest line, as the producer has it.")
    ] = 262_144
    csv_delimiter: Annotated[
        str, Field(max_length=1, description="What separates CSV fields; empty: found by header.")
    ] = ""
    metrics_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://\S+/metrics$",
            description="Where a worker's metrics are, for `orders doctor`.",
        ),
    ] = None

    def require(self, name: str) -> str:
        """The value of a setting that this command needs. Raises SettingWrong."""
        value = getattr(self, name)
        if not value:
            about = (type(self).model_fields[name].description or "").rstrip(".")
            raise SettingWrong(f"ORDERS_{name.upper()} is not set; set it to the {about}.")
        return str(value)


def load_settings() -> CommandSettings:
    """Read the environment, once. Raises SettingWrong, which names the setting."""
    try:
        return CommandSettings()
    except ValidationError as error:
        raise SettingWrong(sentence_of(error, CommandSettings)) from error
