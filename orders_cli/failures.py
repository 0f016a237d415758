"""With which sentence and exit code does a command end that cannot do what it was asked?

CommandFailed
    UsageWrong          2    what was typed cannot be done; say it otherwise
    SettingWrong        2    an ORDERS_ or AWS_ setting is missing or wrong; it is named
    AwsUnreachable      5    AWS did not answer, or refused the call; the endpoint is named
"""

import sys
from enum import IntEnum

from ledger.errors import LedgerError, LedgerUnreachable, UploadMissing


class ExitCode(IntEnum):
    """How `orders` ends; scripts lean on these numbers."""

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
    """The failure that an error means for who typed the command; None for a fault of ours."""
    match error:
        case CommandFailed():
            return error
        case LedgerUnreachable():
            return _ledger_unreachable(error)
        case UploadMissing():
            return UsageWrong(_sentence(str(error)), hint="`orders uploads` lists all.")
        case LedgerError():
            return CommandFailed(_sentence(str(error)), hint=_sentence(error.hint))
        case _:
            # Whoever called AWS has imported botocore; a command that did not must not pay for it.
            return _aws_failure(error) if "botocore" in sys.modules else None


def _ledger_unreachable(error: LedgerUnreachable) -> CommandFailed:
    cause = error.__cause__
    known = _aws_failure(cause) if isinstance(cause, Exception) else None
    if isinstance(known, SettingWrong):
        return SettingWrong(_sentence(str(error)), hint=_sentence(error.hint))
    return AwsUnreachable(_sentence(str(error)), hint=_sentence(error.hint))


def _aws_failure(error: Exception) -> CommandFailed | None:
    from botocore import exceptions as aws  # noqa: PLC0415 - 0.1 s that most commands need not pay

    match error:
        case aws.NoRegionError():
            return SettingWrong("AWS_REGION is not set;", hint="set it to the pipeline's region.")
        case aws.NoCredentialsError() | aws.PartialCredentialsError() | aws.ProfileNotFound():
            return SettingWrong(
                f"AWS credentials are missing: {_sentence(str(error))}",
                hint="Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            )
        case aws.ClientError():
            return _refused_call(error)
        case aws.BotoCoreError() | aws.HTTPClientError():
            return AwsUnreachable(
                f"AWS is out of reach: {_sentence(str(error))}",
                hint="Check the network and AWS_ENDPOINT_URL.",
            )
        case _:
            return None


_NOT_THERE = frozenset(
    {"NoSuchBucket", "ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue"}
)


def _refused_call(error: Exception) -> CommandFailed:
    answer = getattr(error, "response", {}).get("Error", {})
    code = answer.get("Code", "")
    if code in _NOT_THERE:
        return SettingWrong(
            f"What a setting names is not there: {_sentence(str(error))}",
            hint="Compare the ORDERS_ settings with the outputs of the pipeline's stack.",
        )
    return AwsUnreachable(
        f"AWS refused a call: {_sentence(str(error))}",
        hint="Check the credentials and what they are allowed to do.",
    )


def _sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?;" else ".")
