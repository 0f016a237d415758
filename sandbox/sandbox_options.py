"""The options of a sandbox, and the TCP ports that it gets."""

import random
import socket
from dataclasses import dataclass
from pathlib import Path

from orders.rate import Rate
from sandbox.sandbox_errors import WrongUse

HOST = "127.0.0.1"
# Below the range from which Linux and macOS take the ports of outgoing connections: the worker
# must find its port free again each time it is started.
_FREE = range(20_000, 32_000)
_TRIES = 200
MOST_SHARDS = 16
_PORTS = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The options of `orders sandbox up`; a port of 0 is a free one, `api_rate` None is `rate`."""

    folder: Path
    rate: Rate
    api_rate: Rate | None = None
    shards: int = 1
    aws_port: int = 0
    api_port: int = 0
    metrics_port: int = 0
    consumer: bool = True

    def __post_init__(self) -> None:
        """Raises WrongUse where shards or ports are out of bounds or one port is asked twice."""
        if not 1 <= self.shards <= MOST_SHARDS:
            raise WrongUse(f"--shards is {self.shards}; it may be 1 to {MOST_SHARDS}.")
        taken: dict[int, str] = {}
        for option, port in self.asked_ports.items():
            if port not in _PORTS:
                raise WrongUse(f"{option} is {port}; it may be 1 to {_PORTS[-1]}.")
            if port in taken:
                raise WrongUse(f"{option} and {taken[port]} are both {port}; they must differ.")
            taken[port] = option

    @property
    def asked_ports(self) -> dict[str, int]:
        """The ports that were asked for, by option."""
        ports = (self.aws_port, self.api_port, self.metrics_port)
        options = ("--aws-port", "--api-port", "--metrics-port")
        return {option: port for option, port in zip(options, ports, strict=True) if port}

    @property
    def limit(self) -> Rate:
        """What the API allows."""
        return self.rate if self.api_rate is None else self.api_rate


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
