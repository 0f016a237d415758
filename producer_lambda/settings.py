"""The producer's settings, from its environment."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.uploads.duplicate import Duplicates
from orders.rate import Rate, parse_rate
from orders.upload import MAX_LANES


class SettingsInvalid(Exception):
    """A setting is missing or wrong; the message is one sentence that names it."""


def _read_rate(value: object) -> object:
    return parse_rate(value) if isinstance(value, str) else value


class ProducerSettings(BaseSettings):
    """The settings of the producer Lambda, each from the variable ORDERS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="ORDERS_", env_ignore_empty=True, frozen=True)

    bucket: str = Field(min_length=3, description="bucket of uploads and reports")
    stream: str = Field(min_length=1, description="Kinesis stream for the orders")
    ledger_table: str = Field(min_length=3, description="DynamoDB table of the ledger")
    intake_queue_url: str = Field(
        min_length=1, description="queue of upload events, also for the rest of a long file"
    )
    report_prefix: str = Field(
        "reports/", pattern=r"^[^/].*/$", description="key prefix of reports of invalid lines"
    )
    lanes: int = Field(1, ge=1, le=MAX_LANES, description="ordered tracks of one upload")
    line_bytes: int = Field(
        262_144, ge=256, le=700_000, description="longest line, in bytes, after decompression"
    )
    aggregate_bytes: int = Field(
        200_000, ge=1_000, le=1_000_000, description="size of one record on the stream, in bytes"
    )
    shard_bytes_per_second: Literal["none"] | Annotated[int, Field(ge=1_000)] = Field(
        1_000_000, description="write rate per shard, or `none`"
    )
    retention_hours: int = Field(
        2160, ge=24, le=8760, description="how long the stream keeps an order"
    )
    rate: Annotated[Rate | None, BeforeValidator(_read_rate)] = Field(
        None, description="rate limit that admission assumes until the ledger has one"
    )
    duplicates: Duplicates = Field(
        Duplicates.WARN,
        description="same file or order ids uploaded again: `allow`, `warn` in the account, or "
        "`refuse` the same file",
    )
    csv_delimiter: str = Field(
        "",
        max_length=1,
        description="separator of CSV fields; empty: taken from the header",
    )
    order_model: str = Field(
        "",
        description="`package.module:Class`, a pydantic model of orders of your own",
    )
    order_id_field: str = Field(
        "", description="name of the order id in JSON lines of that model; empty: order_id"
    )
    order_mapping: str = Field(
        "",
        description="file (.toml or .json) that maps the fields of orders of your own",
    )


def load_settings() -> ProducerSettings:
    """Read the environment. Raises SettingsInvalid."""
    try:
        return ProducerSettings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = f"ORDERS_{str(first['loc'][0]).upper()}"
        if first["type"] == "missing":
            raise SettingsInvalid(f"{name} is not set") from error
        problem = first["msg"].removeprefix("Value error, ")
        raise SettingsInvalid(f"{name} is {first['input']!r}: {problem}") from error
