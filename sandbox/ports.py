"""Which TCP ports does this sandbox listen on?"""

import random
import socket
from dataclasses import dataclass

from sandbox.errors import WrongUse
from sandbox.options import SandboxOptions

HOST = "127.0.0.1"
# Below the range from which Linux and macOS take the ports of outgoing connections: the worker
# must find its port free again each time it is started.
_FREE = range(20_000, 32_000)
_TRIES = 200


@dataclass(frozen=True, slots=True)
class SandboxPorts:
    """The ports of the embedded AWS, of the API and of the worker's /metrics."""

    aws: int
    api: int
    metrics: int


def choose_ports(options: SandboxOptions) -> SandboxPorts:
    """Ports that nothing listens on now. Raises WrongUse where one that was asked for is taken."""
    for option, port in options.asked_ports.items():
        if not _is_free(port):
            raise WrongUse(f"Port {port} is in use; give {option} another, or none for a free one.")
    chosen = list(options.asked_ports.values())
    return SandboxPorts(
        aws=options.aws_port or _free_port(chosen),
        api=options.api_port or _free_port(chosen),
        metrics=options.metrics_port or _free_port(chosen),
    )


def _free_port(chosen: list[int]) -> int:
    for _ in range(_TRIES):
        port = random.choice(_FREE)  # noqa: S311 - two sandboxes should not ask for the same
        if port not in chosen and _is_free(port):
            chosen.append(port)
            return port
    raise WrongUse(f"No port between {_FREE[0]} and {_FREE[-1]} is free; name three by options.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True
