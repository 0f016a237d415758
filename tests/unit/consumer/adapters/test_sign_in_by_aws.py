"""AWS credentials to sign with: found as botocore finds them, and looked at again."""

import datetime as dt
from pathlib import Path

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.session import Session

from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.sign_in_by_aws import LOOK_AGAIN_SECONDS, aws_auth_fetcher


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


def write_keys(path: Path, secret: str) -> None:
    path.write_text(f"[default]\naws_access_key_id = AKID\naws_secret_access_key = {secret}\n")


def test_a_changed_file_of_keys_counts_the_next_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    fetch = aws_auth_fetcher(service="execute-api", region="eu-central-1")
    write_keys(path, "one")
    first = fetch()
    write_keys(path, "two")

    second = fetch()

    assert (first.value.secrets, second.value.secrets) == (("one",), ("two",))
    assert first.renew_seconds == LOOK_AGAIN_SECONDS


def test_credentials_that_expire_are_renewed_by_their_own_session() -> None:
    sessions: list[Session] = []
    given = iter(["one", "two"])

    def of_a_role() -> dict[str, str]:
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=14)  # inside botocore's margin
        return {
            "access_key": "AKID",
            "secret_key": next(given),
            "token": "t",
            "expiry_time": soon.isoformat(),
        }

    def new_session() -> Session:
        session = Session()
        found = RefreshableCredentials.create_from_metadata(
            of_a_role(), refresh_using=of_a_role, method="a test"
        )
        vars(session)["_credentials"] = found
        sessions.append(session)
        return session

    fetch = aws_auth_fetcher(service="s", region="r", new_session=new_session)

    assert fetch().value.secrets == ("two", "t")
    assert len(sessions) == 1


def test_no_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = aws_auth_fetcher(service="s", region="r")

    with pytest.raises(CredentialUnreadable, match="no AWS credentials to sign with"):
        fetch()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "half")
    with pytest.raises(CredentialUnreadable, match="PartialCredentialsError"):
        fetch()


@pytest.mark.parametrize("wrong", ["process", "web identity", "container"])
def test_whatever_keeps_the_credentials_away_is_a_reason_and_no_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str
) -> None:
    match wrong:
        case "process":
            config = tmp_path / "config"
            config.write_text("[default]\ncredential_process = /no/such/program\n")
            monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        case "web identity":
            monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/orders")
            monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "gone"))
        case _:
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x")

    with pytest.raises(CredentialUnreadable, match="sigv4"):
        aws_auth_fetcher(service="execute-api", region="eu-central-1")()
