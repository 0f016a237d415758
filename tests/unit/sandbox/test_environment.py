import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from orders.rate import Rate
from sandbox.environment import SandboxEnvironment, env_file, read_env_file, sandbox_environment
from sandbox.folder import SandboxFolder
from sandbox.pipeline import Pipeline
from sandbox.sandbox_options import SandboxPorts

PIPELINE = Pipeline("bucket", "http://127.0.0.1:1/queue", "stream", "ledger")


def environment(around: Mapping[str, str]) -> SandboxEnvironment:
    return sandbox_environment(
        around,
        pipeline=PIPELINE,
        ports=SandboxPorts(aws=1, api=2, metrics=3),
        rate=Rate(5.0),
        folder=SandboxFolder(Path("/tmp/a b")),  # noqa: S108 - a name only
    )


def test_it_names_what_was_deployed_and_where_everything_answers() -> None:
    told = environment({}).set

    assert told["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert told["ORDERS_BUCKET"] == "bucket"
    assert told["ORDERS_STREAM"] == "stream"
    assert told["ORDERS_LEDGER_TABLE"] == "ledger"
    assert told["ORDERS_SANDBOX_API"] == "http://127.0.0.1:2"
    assert told["ORDERS_API_URL"] == "http://127.0.0.1:2/orders/{order_id}"
    assert told["ORDERS_METRICS_URL"] == "http://127.0.0.1:3/metrics"
    assert told["ORDERS_RATE"] == "5/s"


def test_what_may_be_tuned_is_taken_over_and_nothing_else() -> None:
    made = environment({"ORDERS_WINDOW": "1", "ORDERS_STREAM": "other", "ORDERS_X": "y"})

    assert made.set["ORDERS_WINDOW"] == "1"
    assert made.set["ORDERS_STREAM"] == "stream"
    assert "ORDERS_X" in made.unset
    assert "ORDERS_WINDOW" not in made.unset


def test_the_api_is_the_sandboxes_own_at_the_path_that_was_set() -> None:
    around = {
        "ORDERS_API_URL": "https://api.shop.example/c/{customer_id}/o/{order_id}?dry=no",
        "ORDERS_API_METHOD": "POST",
        "ORDERS_API_HEADERS": '{"X-Shop": "12"}',
    }

    told = environment(around).set

    assert told["ORDERS_API_URL"] == "http://127.0.0.1:2/c/{customer_id}/o/{order_id}?dry=no"
    assert told["ORDERS_API_METHOD"] == "POST"
    assert told["ORDERS_API_HEADERS"] == '{"X-Shop": "12"}'


@pytest.mark.parametrize(
    ("auth", "token"),
    [
        ("", "sandbox-token-0000"),
        ("header:X-Key", "sandbox-token-0000"),
        ("oauth2", "sandbox-token-0000"),
        ("basic", "sandbox:token-0000"),
        ("none", None),
        ("sigv4", None),
        ("shop_auth:make", None),
    ],
)
def test_each_way_to_sign_in_has_the_credential_that_it_takes(auth: str, token: str | None) -> None:
    made = environment({"ORDERS_API_AUTH": auth, "ORDERS_API_TOKEN": "real"})

    assert made.set.get("ORDERS_API_AUTH", "") == auth
    assert made.set.get("ORDERS_API_TOKEN") == token
    assert ("ORDERS_API_TOKEN" in made.unset) == (token is None)


def test_what_would_lead_elsewhere_is_taken_away() -> None:
    made = environment({"AWS_ENDPOINT_URL_IAM": "http://elsewhere"})

    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "ORDERS_API_TOKEN_FILE"} <= set(
        made.unset
    )
    assert "AWS_ENDPOINT_URL_IAM" in made.unset
    assert not set(made.set) & set(made.unset)


def test_a_process_gets_the_sandbox_over_what_is_around_it() -> None:
    around = {"PATH": "/bin", "AWS_PROFILE": "work", "AWS_CA_BUNDLE": "x", "http_proxy": "p"}

    given = environment(around).over(around)

    assert given["PATH"] == "/bin"
    assert given["AWS_ACCESS_KEY_ID"] == "sandbox"
    assert not {"AWS_PROFILE", "AWS_CA_BUNDLE", "http_proxy"} & set(given)


def test_a_shell_reads_the_file_as_it_is_meant(tmp_path: Path) -> None:
    odd = 'it\'s $HOME `date` \\ "x" * {order_id}'
    path = tmp_path / "sandbox.env"
    path.write_text(env_file(SandboxEnvironment({"ORDERS_ODD": odd}, ("GONE",))))

    seen = subprocess.run(
        ["/bin/sh", "-c", '. "$1"; printf "%s|%s" "$ORDERS_ODD" "${GONE-unset}"', "sh", path],
        env={"GONE": "x"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert seen == f"{odd}|unset"


def test_the_file_is_read_back_without_a_shell() -> None:
    made = SandboxEnvironment({"A": "it's $HOME", "B": "", "C": "{order_id}"}, ("D", "E"))

    assert read_env_file(env_file(made)) == made
