"""The sources of the credential: the environment, a file, Secrets Manager, or Parameter Store."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from consumer.adapters.credentials import (
    TOKEN_CHARACTERS,
    Credential,
    CredentialUnreadable,
    FixedCredential,
    ReadCredential,
    Rule,
    not_a_token,
)

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# One quick try: the attempt that needs the token has a deadline, and the next one tries again.
_ONE_TRY = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})


def credential_from(
    *,
    token: SecretStr | None = None,
    token_file: Path | None = None,
    token_secret: str | None = None,
    token_parameter: str | None = None,
    rule: Rule = not_a_token,
) -> Credential:
    """The credential that the settings name, at most one of them; nothing is read yet.

    Raises CredentialUnreadable for a `token` that cannot be one.
    """
    if token_file is not None:
        return file_credential(token_file, rule=rule)
    if token_secret is not None:
        return secret_credential(token_secret, rule=rule)
    if token_parameter is not None:
        return parameter_credential(token_parameter, rule=rule)
    return FixedCredential(token, rule=rule)


def file_credential(path: Path, *, rule: Rule = not_a_token) -> ReadCredential:
    """The token that a file holds (ORDERS_API_TOKEN_FILE)."""
    source = f"The file {path} (ORDERS_API_TOKEN_FILE)"

    def read() -> str:
        try:
            with path.open("rb") as file:
                return file.read(TOKEN_CHARACTERS + 3).decode("latin-1")
        except OSError as error:
            raise CredentialUnreadable(f"{source} cannot be read: {error.strerror}.") from error

    return ReadCredential(read, source=source, rule=rule)


def secret_credential(secret_id: str, *, rule: Rule = not_a_token) -> ReadCredential:
    """The token that a secret holds as its string (ORDERS_API_TOKEN_SECRET, an ARN or a name)."""
    source = f"The secret {secret_id} (ORDERS_API_TOKEN_SECRET)"
    return ReadCredential(secret_reader(secret_id, source=source), source=source, rule=rule)


def parameter_credential(name: str, *, rule: Rule = not_a_token) -> ReadCredential:
    """The token that a parameter of Parameter Store holds (ORDERS_API_TOKEN_PARAMETER)."""
    source = f"The parameter {name} (ORDERS_API_TOKEN_PARAMETER)"
    client = cache(lambda: cast("_Parameters", _client("ssm", name)))

    def read() -> str:
        answer = client().get_parameter(Name=name, WithDecryption=True)
        return answer["Parameter"]["Value"]

    return ReadCredential(lambda: _from_aws(read, source), source=source, rule=rule)


def secret_reader(secret_id: str, *, source: str) -> Callable[[], str]:
    """What reads a secret's string; `source` begins its error messages."""
    client = cache(lambda: cast("SecretsManagerClient", _client("secretsmanager", secret_id)))

    def read() -> str:
        answer = client().get_secret_value(SecretId=secret_id)
        if "SecretString" not in answer:
            raise CredentialUnreadable(f"{source} is binary; store it as text.")
        return answer["SecretString"]

    return lambda: _from_aws(read, source)


class _Parameter(TypedDict):
    Value: str


class _ParameterAnswer(TypedDict):
    Parameter: _Parameter


class _Parameters(Protocol):
    """The part of boto3's client of SSM that is used here."""

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> _ParameterAnswer: ...  # noqa: N803


def _client(service: str, named: str) -> object:
    """A client of the region that an ARN names, else of the environment's."""
    arn_parts = named.split(":")
    region = arn_parts[3] if arn_parts[0] == "arn" and len(arn_parts) > 3 else None  # noqa: PLR2004
    make = cast("Callable[..., object]", boto3.session.Session().client)
    return make(service, region_name=region, config=_ONE_TRY)


def _from_aws(read: Callable[[], str], source: str) -> str:
    try:
        return read()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "no reason given")
        raise CredentialUnreadable(f"{source} cannot be read: {code}.") from error
    except (BotoCoreError, ValueError, OSError) as error:
        # ValueError: an endpoint that is not a URL; OSError: no such credential_process, or file
        raise CredentialUnreadable(f"{source} cannot be read: {error}.") from error
