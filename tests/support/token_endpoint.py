"""An OAuth 2 token endpoint: what it gives, and what it was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.e2e.scripted_api import Peer, Received, ScriptedApi


@dataclass
class TokenEndpoint:
    """Gives token-1, token-2 and so on; or, with `fails`, that status and an `error`."""

    expires_in: object = 3600
    fails: int | None = None
    error: str = "invalid_client"
    given: int = 0
    asked: list[Received] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator["TokenEndpoint"]:
        """Listen until the end of the block."""
        server = ScriptedApi([self._script], requests=self.asked)
        with server.serving():
            self.url = f"http://127.0.0.1:{server.port}/token"
            yield self

    @property
    def form(self) -> dict[str, list[str]]:
        """The last request's body."""
        return parse_qs(self.asked[-1].body.decode())

    def _script(self, peer: Peer) -> None:
        while received := peer.hear():
            if self.fails is not None:
                echo = f"{received.fields.get('authorization')} {received.body.decode()}"
                peer.say(answer(self.fails, {"error": self.error, "error_description": echo}))
                continue
            self.given += 1
            told = {"access_token": f"token-{self.given}", "token_type": "Bearer"}
            if self.expires_in is not None:
                told["expires_in"] = self.expires_in  # type: ignore[assignment]
            peer.say(answer(200, told))


def answer(status: int, fields: object) -> bytes:
    """An answer with this body, as JSON."""
    body = json.dumps(fields).encode()
    return b"HTTP/1.1 %d It\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)
