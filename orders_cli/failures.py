"""How a command ends that cannot do what it was asked: with a sentence and an exit code.

CommandFailed
    UsageWrong          2    what was typed cannot be done
    SettingWrong        2    an ORDERS_ or AWS_ setting is missing or wrong; it is named
    AwsUnreachable      5    AWS did not answer, or refused the call; the endpoint is named
"""

import sys
from enum import IntEnum

from ledger.errors import LedgerError, LedgerUnreachable, UploadMissing
from orders.rule_errors import ModelFailed, RulesWrong


class ExitCode(IntEnum):
    """How `orders` ends; scripts depend on these numbers."""

    DONE = 0
    USAGE = 2
    PROBLEMS = 3
    REFUSED_ADMISSION = 4
    AWS_UNREACHABLE = 5
    STOPPED_WATCHING = 130


class CommandFailed(Exception):
    """A command cannot do what it was asked; the message is a sentence, `hint` what to do."""

    exit_code = ExitCode.PROBLEMS

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        """The sentence, and what to do about it."""
        message = super().__str__()
        return f"{message} {self.hint}".rstrip()


class UsageWrong(CommandFailed):
    """What was typed cannot be done."""

    exit_code = ExitCode.USAGE


class SettingWrong(CommandFailed):
    """A setting is missing or wrong."""

    exit_code = ExitCode.USAGE


class AwsUnreachable(CommandFailed):
    """AWS did not answer, or refused the call."""

    exit_code = ExitCode.AWS_UNREACHABLE


def failure_of(error: Exception) -> CommandFailed | None:
    """The failure that an error means for whoever typed the command; None for a bug of ours."""
    match error:
        case CommandFailed():
            return error
        case UploadMissing():
            return UsageWrong(_sentence(error), hint="`orders uploads` lists all.")
        case LedgerUnreachable():
            cause = error.__cause__
            is_setting = isinstance(cause, Exception) and isinstance(_of_aws(cause), SettingWrong)
            kind = SettingWrong if is_setting else AwsUnreachable
            return kind(_sentence(error), hint=_sentence(error.hint))
        case RulesWrong() | ModelFailed():
            return SettingWrong(_sentence(error))
        case LedgerError():
            return CommandFailed(_sentence(error), hint=_sentence(error.hint))
        case _:
            # Whoever called AWS has imported botocore; a command that did not must not pay for it.
            return _of_aws(error) if "botocore" in sys.modules else None


_NOT_THERE = frozenset(
    {"NoSuchBucket", "ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue"}
)


def _of_aws(error: Exception) -> CommandFailed | None:
    from botocore import exceptions as aws  # noqa: PLC0415 - 0.1 s that most commands need not pay

    match error:
        case aws.NoRegionError():
            return SettingWrong("AWS_REGION is not set;", hint="set it to the pipeline's region.")
        case aws.NoCredentialsError() | aws.PartialCredentialsError() | aws.ProfileNotFound():
            return SettingWrong(
                f"AWS credentials are missing: {_sentence(error)}",
                hint="Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            )
        case aws.ClientError() if error.response.get("Error", {}).get("Code") in _NOT_THERE:
            return SettingWrong(
                f"What a setting names does not exist: {_sentence(error)}",
                hint="Compare the ORDERS_ settings with the outputs of the pipeline's stack.",
            )
        case aws.ClientError():
            return AwsUnreachable(
                f"AWS refused a call: {_sentence(error)}",
                hint="Check the credentials and their permissions.",
            )
        case aws.BotoCoreError() | aws.HTTPClientError():
            return AwsUnreachable(
                f"AWS is unreachable: {_sentence(error)}",
                hint="Check the network and AWS_ENDPOINT_URL.",
            )
        case _:
            return None


def _sentence(text: object) -> str:
    """The text with a capital letter and a full stop."""
    clause = str(text).strip()
    if not clause:
        return ""
    return clause[0].upper() + clause[1:] + ("" if clause[-1] in ".!?;" else ".")
