"""Nothing of a secret is seen, whatever the API answers and wherever one looks."""

import base64
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumer.delivery.attempts import Refused
from consumer.telemetry.exposition import Exposition
from consumer.telemetry.page import make_page
from tests.e2e.scripted_api import Peer, Received, ScriptedApi
from tests.support import seen
from tests.support.eventually import eventually
from tests.support.outgoing import outgoing
from tests.support.shard_at_work import ShardAtWork
from tests.support.token_endpoint import TokenEndpoint, answer
from tests.support.ways_to_sign_in import NAMES, client, way


def echo(request: Received) -> list[object]:
    """All that a request held, and what Basic encodes."""
    encoded = request.fields.get("authorization", "").partition("Basic ")[2]
    return [request.fields, base64.b64decode(encoded).decode()]


def echoing(*statuses: int) -> ScriptedApi:
    """An API that answers each request with the next status, the last from then on."""
    left = list(statuses)

    def script(peer: Peer) -> None:
        while request := peer.hear():
            status = left.pop(0) if len(left) > 1 else left[0]
            peer.say(answer(status, echo(request)))

    return ScriptedApi([script])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
@pytest.mark.parametrize("name", NAMES)
def test_no_secret_comes_back_with_an_attempt(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, status: int
) -> None:
    with TokenEndpoint().serving() as endpoint, echoing(status).serving() as server:
        told = way(name, endpoint, monkeypatch)
        with client(monkeypatch, server, **told.settings) as api:
            attempts = [api.send(outgoing()) for _ in range(2)]

    assert len(server.requests) == 2
    assert seen_of(told.secrets, repr(attempts) + caplog.text) == []
    if isinstance(attempts[0], Refused):
        assert "[credential]" in attempts[0].answer


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_ledger_log_metrics_or_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, name: str
) -> None:
    with ExitStack() as open_:
        endpoint = open_.enter_context(TokenEndpoint().serving())
        server = open_.enter_context(echoing(404, 422, 401).serving())
        told = way(name, endpoint, monkeypatch)
        api = open_.enter_context(client(monkeypatch, server, **told.settings))
        work = ShardAtWork(behaviour=lambda order_id: api.send(outgoing(order_id)), window_max=1)
        open_.callback(work.leave)

        work.begin()
        work.feed()
        eventually(lambda: work.ledger.read_pace().hold)

        letters = list(work.ledger.dead_letters(limit=100))
        pace = work.ledger.read_pace()
        snapshot = seen.snapshot(seen.ledger_seen(work.account, pace=pace), seen.shard())
        everything = {
            "ledger": repr((letters, pace, vars(work.ledger))),
            "events": repr(work.events),
            "log": caplog.text,
            "metrics": Exposition(tmp_path).text(snapshot).decode(),
            "page": make_page(snapshot, []).render(),
        }

    assert len(letters) == 2
    assert "the API answered 401" in everything["page"]
    assert "[credential]" in everything["ledger"]
    found = {place: seen_of(told.secrets, text) for place, text in everything.items()}
    assert not any(found.values()), found


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_no_secret_of_the_client_comes_back_from_the_token_endpoint(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    with TokenEndpoint(fails=status).serving() as endpoint, echoing(200).serving() as server:
        told = way("oauth2", endpoint, monkeypatch)
        for place in ("basic", "body"):
            settings = {**told.settings, "ORDERS_API_CLIENT_AUTH": place}
            with client(monkeypatch, server, **settings) as api:
                attempt = api.send(outgoing())

            assert f"answered {status}" in repr(attempt)
            assert seen_of(told.secrets, repr(attempt) + caplog.text) == []


def seen_of(secrets: tuple[str, ...], text: str) -> list[str]:
    return [secret for secret in secrets if secret in text]
