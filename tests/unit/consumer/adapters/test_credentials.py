import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import moto
import pytest
from pydantic import SecretStr

from consumer.adapters.credential_sources import (
    credential_from,
    file_credential,
    parameter_credential,
    secret_credential,
)
from consumer.adapters.credentials import (
    READ_AGAIN_SECONDS,
    CredentialUnreadable,
    FixedCredential,
    ReadCredential,
    not_a_field_value,
    not_user_and_password,
)

SECONDS = 5.0


class Source:
    """A place that holds a token and counts how often it is read."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.reads = 0
        self.now = 100.0

    def read(self) -> str:
        self.reads += 1
        if not self.tokens:
            raise CredentialUnreadable("The place is gone.")
        return self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]

    def credential(self) -> ReadCredential:
        return ReadCredential(self.read, source="The place", clock=lambda: self.now)


def test_no_setting_means_no_credential() -> None:
    assert credential_from().token(seconds=SECONDS) is None


def test_a_token_of_the_environment_is_used_as_it_is() -> None:
    credential = credential_from(token=SecretStr("abc.DEF-123_~+/=="))

    credential.refused("abc.DEF-123_~+/==")

    assert credential.token(seconds=SECONDS) == "abc.DEF-123_~+/=="


UNUSABLE = ["", "\n", "a b", "a\nb", "a\r\nX-Evil: 1", "a\x00b", "a\x7f", "tökén", '{"token":"a"}']


@pytest.mark.parametrize("token", [*UNUSABLE, "s" * 20_000])
def test_a_token_that_would_break_the_header_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(CredentialUnreadable) as raised:
        FixedCredential(SecretStr(token))

    message = str(raised.value)
    assert message.startswith("ORDERS_API_TOKEN ")
    assert not token.strip() or token.strip() not in message


def test_a_token_is_read_once_while_it_is_not_refused() -> None:
    source = Source("one", "two")
    credential = source.credential()

    tokens = [credential.token(seconds=SECONDS) for _ in range(3)]

    assert (tokens, source.reads) == (["one"] * 3, 1)


def test_a_refused_token_is_read_again_before_the_next_attempt() -> None:
    source = Source("one", "two")
    credential = source.credential()
    credential.refused(credential.token(seconds=SECONDS))

    source.now += READ_AGAIN_SECONDS

    assert credential.token(seconds=SECONDS) == "two"


def test_it_is_not_read_more_often_than_every_few_seconds() -> None:
    source = Source("one")
    credential = source.credential()

    for _ in range(100):
        credential.refused(credential.token(seconds=SECONDS))
        source.now += READ_AGAIN_SECONDS / 10

    assert 9 <= source.reads <= 11


def test_late_refusals_of_an_old_token_do_not_doubt_the_new_one() -> None:
    source = Source("one", "two", "three")
    credential = source.credential()
    credential.refused(credential.token(seconds=SECONDS))
    source.now += READ_AGAIN_SECONDS
    credential.token(seconds=SECONDS)

    credential.refused("one")
    source.now += READ_AGAIN_SECONDS

    assert (credential.token(seconds=SECONDS), source.reads) == ("two", 2)


def test_while_it_cannot_be_read_again_the_old_token_serves_until_it_can() -> None:
    source = Source("one")
    credential = source.credential()
    credential.refused(credential.token(seconds=SECONDS))
    source.tokens = []
    source.now += READ_AGAIN_SECONDS
    assert credential.token(seconds=SECONDS) == "one"

    source.tokens = ["two"]
    source.now += READ_AGAIN_SECONDS

    assert credential.token(seconds=SECONDS) == "two"


def test_a_source_that_hangs_is_left_behind_and_the_old_token_serves() -> None:
    end = threading.Event()
    source = Source("one")

    def hangs_later() -> str:
        if source.reads:
            end.wait(10)
        return source.read()

    credential = ReadCredential(hangs_later, source="The place", clock=lambda: source.now)
    credential.refused(credential.token(seconds=SECONDS))
    source.now += READ_AGAIN_SECONDS

    token = credential.token(seconds=0.05)
    end.set()

    assert token == "one"


def test_many_senders_read_a_refused_token_once() -> None:
    source = Source("one", "two", "three")
    credential = source.credential()
    credential.refused(credential.token(seconds=SECONDS))
    source.now += READ_AGAIN_SECONDS

    with ThreadPoolExecutor(32) as threads:
        tokens = set(threads.map(lambda _: credential.token(seconds=SECONDS), range(200)))

    assert tokens <= {"one", "two"}
    assert source.reads == 2


def test_a_file_is_read_without_its_line_ending(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"abc\r\n")

    assert credential_from(token_file=path).token(seconds=SECONDS) == "abc"


@pytest.mark.parametrize("content", [*(text.encode() for text in UNUSABLE), b"s" * 20_000])
def test_a_file_without_a_usable_token_is_named_and_not_shown(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)

    with pytest.raises(CredentialUnreadable) as raised:
        file_credential(path).token(seconds=SECONDS)

    message = str(raised.value)
    assert message.startswith(f"The file {path} (ORDERS_API_TOKEN_FILE) ")
    assert not content.strip() or content.decode().strip() not in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "token"

    with pytest.raises(CredentialUnreadable, match="cannot be read: No such file or directory"):
        file_credential(path).token(seconds=SECONDS)


# Secrets Manager.


@pytest.fixture
def secrets() -> Iterator[None]:
    with moto.mock_aws():
        yield


@pytest.mark.usefixtures("secrets")
def test_a_secret_is_read_in_the_region_that_its_arn_names() -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    arn = client.create_secret(Name="api", SecretString="one\n")["ARN"]

    assert credential_from(token_secret=arn).token(seconds=30.0) == "one"


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("secret", "complaint"),
    [({"SecretBinary": b"abc"}, "binary"), ({"SecretString": '{"a": "b"}'}, "JSON")],
)
def test_a_secret_that_holds_no_token_is_named(secret: dict[str, str], complaint: str) -> None:
    client = boto3.client("secretsmanager", region_name="eu-central-1")
    arn = client.create_secret(Name="api", **secret)["ARN"]  # type: ignore[arg-type]

    with pytest.raises(CredentialUnreadable, match=complaint) as raised:
        secret_credential(arn).token(seconds=30.0)

    assert str(raised.value).startswith(f"The secret {arn} (ORDERS_API_TOKEN_SECRET)")


@pytest.mark.usefixtures("secrets")
def test_a_secret_that_is_not_there_is_named() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:none-AbCdEf"

    with pytest.raises(CredentialUnreadable, match="ResourceNotFoundException"):
        secret_credential(arn).token(seconds=30.0)


# Parameter Store.


@pytest.mark.usefixtures("secrets")
def test_a_parameter_is_read_decrypted_and_anew_each_time() -> None:
    client = boto3.client("ssm", region_name="eu-central-1")
    client.put_parameter(Name="/orders/token", Value="one\n", Type="SecureString")
    credential = parameter_credential("/orders/token")
    first = credential.token(seconds=30.0)
    client.put_parameter(Name="/orders/token", Value="two", Type="SecureString", Overwrite=True)

    assert first == "one"
    assert credential._read() == "two"


@pytest.mark.usefixtures("secrets")
def test_a_parameter_is_read_in_the_region_that_its_arn_names() -> None:
    client = boto3.client("ssm", region_name="eu-west-1")
    client.put_parameter(Name="/orders/token", Value="one", Type="SecureString")
    arn = client.get_parameter(Name="/orders/token")["Parameter"]["ARN"]

    assert parameter_credential(arn).token(seconds=30.0) == "one"


@pytest.mark.usefixtures("secrets")
def test_a_parameter_that_is_not_there_is_named() -> None:
    with pytest.raises(CredentialUnreadable, match="ParameterNotFound") as raised:
        parameter_credential("/orders/none").token(seconds=30.0)

    assert str(raised.value).startswith("The parameter /orders/none (ORDERS_API_TOKEN_PARAMETER)")


# Basic and headers.


@pytest.mark.parametrize("text", ["shop", ":hunter2", "", "shop:pass ", "shop:pä", "a:b\x00"])
def test_what_is_no_user_and_password_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(CredentialUnreadable) as raised:
        FixedCredential(SecretStr(text), rule=not_user_and_password)

    assert not text or text not in str(raised.value)


@pytest.mark.parametrize("text", [" a", "a ", "a\nb", "a\x7f"])
def test_what_cannot_be_a_header_is_refused(text: str) -> None:
    with pytest.raises(CredentialUnreadable, match="cannot be a header's value"):
        FixedCredential(SecretStr(text), rule=not_a_field_value)


def test_a_source_that_is_slower_than_one_wait_is_read_all_the_same() -> None:
    answered = threading.Event()

    def slow() -> str:
        answered.wait(20)
        return "one"

    credential = ReadCredential(slow, source="The place", clock=lambda: 100.0)
    with pytest.raises(CredentialUnreadable, match="in time"):
        credential.token(seconds=0.01)
    answered.set()

    assert credential.token(seconds=SECONDS) == "one"


def test_a_source_that_hangs_takes_one_thread_however_often_it_is_asked() -> None:
    end, now = threading.Event(), [100.0]
    before = threading.active_count()

    def hang() -> str:
        end.wait(20)
        return "one"

    credential = ReadCredential(hang, source="The place", clock=lambda: now[0])
    for _ in range(20):
        with pytest.raises(CredentialUnreadable):
            credential.token(seconds=0.001)
        now[0] += READ_AGAIN_SECONDS
    after = threading.active_count()
    end.set()

    assert after - before <= 1


def test_aws_credentials_that_a_missing_program_gives_are_a_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = /no/such/program\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(CredentialUnreadable, match="orders/key"):
        secret_credential("orders/key").token(seconds=SECONDS)
