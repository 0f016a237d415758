"""What can be asked of a sandbox?"""

from dataclasses import dataclass
from pathlib import Path

from orders.rate import Rate
from sandbox.errors import WrongUse

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
