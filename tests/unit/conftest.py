"""What holds for every unit test: it opens no network socket."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

NETWORK = (socket.AF_INET, socket.AF_INET6)


def _refused(method: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(self: socket.socket, *arguments: object) -> object:
        if self.family in NETWORK:
            raise AssertionError("a unit test opens no network socket: see tests/sockets")
        return method(self, *arguments)

    return refuse


@pytest.fixture(autouse=True)
def no_network_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to bind or connect a network socket; a socket pair is no network."""
    for name in ("bind", "connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _refused(getattr(socket.socket, name)))
