import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from ledger.errors import LaneMissing, LedgerUnreachable, row_unreadable, upload_missing
from orders_cli.failures import AwsUnreachable, ExitCode, UsageWrong, failure_of

UNREACHABLE = LedgerUnreachable("no table", hint="")


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetItem")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), ExitCode.AWS_UNREACHABLE),
        (client_error("AccessDenied"), ExitCode.AWS_UNREACHABLE),
        (client_error("NoSuchBucket"), ExitCode.USAGE),
        (NoRegionError(), ExitCode.USAGE),
        (NoCredentialsError(), ExitCode.USAGE),
        (LedgerUnreachable("gone", hint="wait"), ExitCode.AWS_UNREACHABLE),
        (
            caused(
                LedgerUnreachable("no table", hint=""), client_error("ResourceNotFoundException")
            ),
            ExitCode.USAGE,
        ),
        (upload_missing("x"), ExitCode.USAGE),
        (LaneMissing("no lane", hint="restore it"), ExitCode.PROBLEMS),
        (row_unreadable("pace", "pace", ValueError("odd")), ExitCode.PROBLEMS),
        (UsageWrong("No."), ExitCode.USAGE),
    ],
)
def test_every_expected_error_ends_in_its_exit_code(error: Exception, code: ExitCode) -> None:
    failure = failure_of(error)

    assert failure is not None
    assert failure.exit_code == code
    assert str(failure)


def test_an_endpoint_out_of_reach_is_named() -> None:
    failure = failure_of(EndpointConnectionError(endpoint_url="http://127.0.0.1:1"))

    assert "http://127.0.0.1:1" in str(failure)


def test_a_bug_of_ours_is_not_a_failure_of_the_user() -> None:
    assert failure_of(ValueError("bug")) is None


def test_a_failure_says_what_to_do() -> None:
    assert str(AwsUnreachable("Nobody answers.", hint="Look.")) == "Nobody answers. Look."
