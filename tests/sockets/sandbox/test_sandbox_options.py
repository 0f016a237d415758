import socket
from pathlib import Path

import pytest

from orders.rate import Rate
from sandbox.sandbox_errors import WrongUse
from sandbox.sandbox_options import SandboxOptions, choose_ports


def test_free_ports_differ_and_are_below_those_of_outgoing_connections() -> None:
    ports = choose_ports(SandboxOptions(Path("x"), Rate(1.0)))

    chosen = {ports.aws, ports.api, ports.metrics}
    assert len(chosen) == 3
    assert all(20_000 <= port < 32_000 for port in chosen)


def test_a_port_that_was_asked_for_is_kept() -> None:
    free = choose_ports(SandboxOptions(Path("x"), Rate(1.0))).api

    assert choose_ports(SandboxOptions(Path("x"), Rate(1.0), api_port=free)).api == free


def test_a_port_in_use_is_refused_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(WrongUse, match=rf"Port {port} is in use; give --aws-port another"):
            choose_ports(SandboxOptions(Path("x"), Rate(1.0), aws_port=port))
