"""What `orders.toml` says about an environment: the saved parameters of its stacks."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orders_cli.failures import SettingWrong

_ARN = r"^$|^arn:[a-z0-9-]+:[a-z0-9-]+:.+"

Parameter = str | int | float | bool | list[str]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NetworkPart(_Part):
    """Where the consumer's task runs."""

    vpc_id: str = Field("", pattern=r"^$|^vpc-[0-9a-z]+$")
    subnet_ids: list[str] = []
    public_ip: bool | None = None


class ApiPart(_Part):
    """The third party's API. Its secret stands in AWS; here is only where."""

    url: str = ""
    method: str | None = None
    auth: str | None = None
    token_secret_arn: str | None = Field(None, pattern=_ARN)
    token_parameter: str | None = None


class Environment(_Part):
    """One environment; `pipeline` and `consumer` are parameters of infra/*.yaml by name."""

    application: str = Field(pattern=r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$")
    region: str | None = None
    account: str | None = Field(None, pattern=r"^[0-9]{12}$")
    rate: str | None = None
    retention_hours: int | None = Field(None, ge=24, le=8760)
    log_days: int | None = None
    alarm_topic_arn: str | None = Field(None, pattern=_ARN)
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    network: NetworkPart = NetworkPart()
    api: ApiPart | None = None
    pipeline: dict[str, Parameter] = {}
    consumer: dict[str, Parameter] = {}

    @property
    def has_consumer(self) -> bool:
        """Without an API, only the pipeline is deployed."""
        return self.api is not None

    def stack_name(self, template: str) -> str:
        """The name of the stack of infra/<template>.yaml."""
        return f"{self.application}-{template}"


def load_environment(file: Path, name: str) -> Environment:
    """The environment of that name. Raises SettingWrong, which names file and field."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingWrong(
            f"{file} does not exist.", hint="docs/deploy.md has one to begin with."
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingWrong(f"{file} cannot be read: {error}.") from error
    if name not in document:
        known = ", ".join(document) or "none"
        raise SettingWrong(f"{file} has no environment [{name}]; it has: {known}.")
    try:
        return Environment.model_validate(document[name])
    except ValidationError as error:
        raise SettingWrong(_field_sentence(error, file, name)) from error


def suggestion(name: str, known: Mapping[str, object]) -> str:
    """The name that was probably meant, as the end of a sentence; empty for none."""
    by_lower = {one.lower().replace("_", ""): one for one in known}
    close = difflib.get_close_matches(name.lower().replace("_", ""), by_lower, n=1)
    return f"did you mean {by_lower[close[0]]}?" if close else ""


def _field_sentence(error: ValidationError, file: Path, name: str) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    place = ".".join([name, *path])
    if first["type"] != "extra_forbidden":
        return f"{file}: {place} is wrong: {re.sub('^Value error, ', '', first['msg'])}."
    parts: Mapping[str, type[BaseModel]] = {"network": NetworkPart, "api": ApiPart}
    model = parts[path[0]] if len(path) > 1 and path[0] in parts else Environment
    return f"{file}: {place} is unknown; {suggestion(path[-1], model.model_fields)}".rstrip("; ")
