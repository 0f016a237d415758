"""What the worker answers over HTTP, asked over HTTP."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from uvicorn import Config, Server

from consumer.telemetry.exposition import Exposition
from consumer.telemetry.snapshot import Snapshot
from consumer.telemetry.web import make_app
from ledger.uploads.lane import Tally
from tests.support import seen
from tests.support.eventually import eventually


@dataclass
class Site:
    """A served worker; what it sees can be changed."""

    url: str
    snapshot: Snapshot

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=5)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    ledger = seen.ledger_seen(seen.account(tally=Tally(accepted=1), key="a/<b>&%C3%BC.jsonl"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Site(
            f"http://127.0.0.1:{listener.getsockname()[1]}", seen.snapshot(ledger, seen.shard())
        )
        app = make_app(
            lambda: served.snapshot, Exposition(tmp_path), workers=1, watcher_lives=lambda: True
        )
        server = Server(Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
        thread.start()
        eventually(lambda: server.started, "the start of the server")
        yield served
        server.should_exit = True
        thread.join()


def test_metrics_are_served_as_prometheus_reads_them(site: Site) -> None:
    answer = site.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "\norders_backlog 99.0\n" in answer.text


def test_a_name_with_markup_in_it_is_shown_and_not_followed(site: Site) -> None:
    answer = site.get("/")

    assert answer.status_code == 200
    assert "<h3>a/&lt;b&gt;&amp;ü.jsonl</h3>" in answer.text
    assert "<b>" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_works_without_scripts_and_renews_itself(site: Site) -> None:
    text = site.get("/").text

    assert "<script" not in text
    assert '<meta http-equiv="refresh"' in text
    assert '<svg viewBox="0 0 900 120"' in text
    assert "prefers-color-scheme: dark" in site.get("/status.css").text


def test_health_is_told_by_status_and_by_sentence(site: Site) -> None:
    assert site.get("/healthz").json()["fine"] is True
    assert site.get("/readyz").status_code == 200

    site.snapshot = replace(site.snapshot, skew_seconds=5.0, shards=(seen.shard(alive_at=0.0),))

    assert site.get("/healthz").status_code == 503
    findings = {f["name"]: f for f in site.get("/readyz").json()["findings"]}
    assert findings["clock"] == {"name": "clock", "fine": False, "says": "+5.0 s off DynamoDB's"}


def test_what_is_not_there_is_not_found(site: Site) -> None:
    assert site.get("/admin").status_code == 404
