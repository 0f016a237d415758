"""A worker that cannot begin says why in one sentence, and ends with a code that says it too."""

import os
import socket
import subprocess
import sys

import pytest

from sandbox.code_archive import CHECKOUT

NEEDED = {
    "ORDERS_STREAM": "orders-stream",
    "ORDERS_LEDGER_TABLE": "orders-ledger",
    "ORDERS_API_URL": "https://api.example.com/orders/{order_id}",
}
IMPATIENT = (
    "import sys; from consumer.worker import arrival; arrival.OUT_OF_REACH_SECONDS = 0.5; "
    "from consumer.__main__ import main; sys.exit(main())"
)


def run(*command: str, **environment: str) -> tuple[int, list[str]]:
    """The exit code and the log's lines of a worker that is to end by itself."""
    ended = subprocess.run(
        [sys.executable, *(command or ("-m", "consumer"))],
        cwd=CHECKOUT,
        env={**os.environ, **NEEDED, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stderr.splitlines()


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_missing_setting_is_all_that_is_said() -> None:
    code, said = run(ORDERS_STREAM="")

    assert code == 2
    assert said == ["ORDERS_STREAM is not set; set it to the Kinesis stream that orders come from."]


def test_a_port_in_use_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code, said = run(ORDERS_METRICS_PORT=str(port))

    assert code == 2
    assert f"127.0.0.1:{port}" in said[-1]
    assert "set ORDERS_METRICS_PORT" in said[-1]


def test_without_java_it_says_what_to_install() -> None:
    code, said = run(ORDERS_JAVA="/no/such/java")

    assert code == 2
    assert "ORDERS_JAVA is '/no/such/java'" in said[-1]


def test_aws_out_of_reach_names_the_endpoint(closed_port: int, unused_port: int) -> None:
    endpoint = f"http://127.0.0.1:{closed_port}"

    code, said = run(
        "-c", IMPATIENT, AWS_ENDPOINT_URL=endpoint, ORDERS_METRICS_PORT=str(unused_port)
    )

    assert code == 5
    # Not always the last line: the threads that watch the ledger may log once more.
    (sentence,) = (line for line in said if "AWS is out of reach" in line)
    assert endpoint in sentence


@pytest.fixture
def unused_port(closed_port: int) -> int:
    """Another port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    assert port != closed_port
    return port
