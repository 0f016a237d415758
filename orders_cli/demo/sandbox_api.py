"""A client of the sandbox's API: its log, its faults, its rate."""

import json
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.judge.observations import Request, requests_of_log

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SandboxApi:
    """The API that the orders are sent to; `address` is ORDERS_SANDBOX_API."""

    address: str

    def requests(self) -> tuple[Request, ...]:
        """What it received so far, from its own log."""
        log = requests.get(f"{self.address}/_sandbox/requests", timeout=_SECONDS)
        log.raise_for_status()
        return requests_of_log(json.loads(line) for line in log.iter_lines())

    def add_fault(self, **fault: Any) -> None:  # noqa: ANN401 - the fields of a fault
        """Make it fail; the fields are those of POST /_sandbox/faults."""
        self._post("faults", fault)

    def set_rate(self, rate: str) -> None:
        """The rate that it accepts from now on."""
        self._post("rate", {"rate": rate})

    def _post(self, name: str, content: dict[str, Any]) -> None:
        answer = requests.post(f"{self.address}/_sandbox/{name}", json=content, timeout=_SECONDS)
        answer.raise_for_status()
