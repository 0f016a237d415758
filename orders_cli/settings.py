"""The settings of the `orders` command.

All are environment variables, the same ones that Lambda and consumer use. No command needs all of
them, so each asks for what it needs by `require`.
"""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from consumer.setting_sentence import sentence_of
from ledger.uploads.duplicate import Duplicates
from orders.chosen_rules import chosen_rules
from orders.file_reading import ReadingLimits
from orders_cli.failures import SettingWrong

_FOLDER = r"^[^/\s][^\s]*/$"
_URL = r"^https?://"


class CommandSettings(BaseSettings):
    """Every setting of the command. Each is an environment variable of the same name."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERS_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    ledger_table: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{3,255}$",
        description="DynamoDB table of the ledger (output LedgerTableName of the stack).",
    )
    bucket: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="S3 bucket that takes the uploads (output BucketName of the stack).",
    )
    upload_prefix: str = Field(
        "uploads/", pattern=_FOLDER, description="Objects below this prefix are uploads of orders."
    )
    report_prefix: str = Field(
        "reports/", pattern=_FOLDER, description="Reports of invalid lines are below this prefix."
    )
    stream: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,128}$",
        description="Kinesis stream of the orders (output StreamName of the stack).",
    )
    application: str = Field(
        "", description="Name of the deployment, for the name of its lease table."
    )
    lease_table: str = Field(
        "",
        description="KCL's lease table (output LeaseTableName of the stack), for `orders doctor`; "
        "unset: the application and `-leases`.",
    )
    retention_hours: int = Field(
        2160, ge=24, le=8760, description="Retention of the stream, for the runway."
    )
    intake_queue_url: str | None = Field(
        None, pattern=_URL, description="Queue of the uploads' events."
    )
    intake_dead_letter_url: str | None = Field(
        None,
        pattern=_URL,
        description="Queue of the events that could not be read; unset: the dead-letter queue of "
        "ORDERS_INTAKE_QUEUE_URL.",
    )
    line_bytes: int = Field(
        262_144, ge=256, le=700_000, description="Longest line, as the producer has it."
    )
    csv_delimiter: str = Field(
        "", max_length=1, description="CSV field separator; empty: detected from the header."
    )
    order_model: str = Field(
        "",
        description="`package.module:Class`, a pydantic model of orders of your own.",
    )
    order_id_field: str = Field(
        "", description="Name of the order id in JSON lines of that model; empty: order_id."
    )
    order_mapping: str = Field(
        "",
        description="File (.toml or .json) that maps the fields of orders of your own.",
    )
    duplicates: Duplicates = Field(
        Duplicates.WARN,
        description="What `orders upload` does about orders that were uploaded before, "
        "and order ids that stand in the file twice or in an earlier upload: `allow`, `warn` or "
        "`refuse`, as the producer has it.",
    )
    metrics_url: str | None = Field(
        None,
        pattern=r"^https?://\S+/metrics$",
        description="A worker's metrics, for `orders doctor`.",
    )

    @property
    def lease_table_name(self) -> str:
        """The lease table; empty where neither it nor the application is named."""
        return self.lease_table or (f"{self.application}-leases" if self.application else "")

    @property
    def reading_limits(self) -> ReadingLimits:
        """How the producer reads a file. Raises RulesWrong."""
        rules = chosen_rules(
            model=self.order_model, id_field=self.order_id_field, mapping=self.order_mapping
        )
        return ReadingLimits(self.line_bytes, self.csv_delimiter, rules)

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
