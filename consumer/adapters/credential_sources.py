"""The sources of the credential: the environment, a file, or Secrets Manager."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

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
) -> Credential:
    """The credential that the settings name, at most one of them; nothing is read yet.

    Raises CredentialUnreadable for a `token` that cannot be one.
    """
    if token_file is not None:
        return file_credential(token_file)
    if token_secret is not None:
        return secret_credential(token_secret)
    return FixedCredential(token)


def file_credential(path: Path) -> ReadCredential:
    """The token that a file holds (ORDERS_API_TOKEN_FILE)."""
    source = f"The file {path} (ORDERS_API_TOKEN_FILE)"

    def read() -> str:
        try:
            with path.open("rb") as file:
                return file.read(TOKEN_CHARACTERS + 3).decode("latin-1")
        except OSError as error:
            raise CredentialUnreadable(f"{source} cannot be read: {error.strerror}.") from error

    return ReadCredential(read, source=source)


def secret_credential(secret_id: str) -> ReadCredential:
    """The token that a secret holds as its string (ORDERS_API_TOKEN_SECRET, an ARN or a name)."""
    source = f"The secret {secret_id} (ORDERS_API_TOKEN_SECRET)"
    arn_parts = secret_id.split(":")
    region = arn_parts[3] if arn_parts[0] == "arn" and len(arn_parts) > 3 else None  # noqa: PLR2004

    @cache
    def client() -> "SecretsManagerClient":
        return boto3.session.Session().client("secretsmanager", region_name=region, config=_ONE_TRY)

    def read() -> str:
        try:
            answer = client().get_secret_value(SecretId=secret_id)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "no reason given")
            raise CredentialUnreadable(f"{source} cannot be read: {code}.") from error
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is not a URL
            raise CredentialUnreadable(f"{source} cannot be read: {error}.") from error
        if "SecretString" not in answer:
            raise CredentialUnreadable(f"{source} is binary; store the token as text.")
        return answer["SecretString"]

    return ReadCredential(read, source=source)
