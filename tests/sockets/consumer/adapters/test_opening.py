import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.adapters.http_api import HttpApi
from consumer.adapters.opening import OPENING_SECONDS
from consumer.delivery.attempts import Accepted, Attempt, Unavailable
from tests.e2e.scripted_api import (
    LIMIT_SECONDS,
    OK,
    Certificate,
    Peer,
    Script,
    ScriptedApi,
    always,
    certificate,
)
from tests.support.outgoing import outgoing

ATTEMPT_SECONDS = 0.3
LATE_SECONDS = ATTEMPT_SECONDS + 1.0


@pytest.fixture
def shown(tmp_path: Path) -> Certificate:
    return certificate(tmp_path)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def put(
    url: str,
    *,
    seconds: float = 5.0,
    ca_file: Path | None = None,
) -> Attempt:
    api = HttpApi(url, attempt_seconds=seconds, ca_file=ca_file)
    try:
        return api.send(outgoing())
    finally:
        api.close()


def nothing_sent(attempt: Attempt) -> str:
    assert isinstance(attempt, Unavailable)
    assert (attempt.status, attempt.may_have_arrived) == (None, False)
    return attempt.reason


# No connection, nothing sent.


def test_a_refused_connection_is_unavailable_and_nothing_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    reason = nothing_sent(put(f"http://127.0.0.1:{port}/orders/{{order_id}}"))

    assert reason == f"no connection to 127.0.0.1:{port}: Connection refused"


def test_a_name_that_nobody_knows_is_unavailable_and_nothing_arrived() -> None:
    reason = nothing_sent(put("http://api.invalid/orders/{order_id}"))

    assert reason.startswith("no connection to api.invalid: ")


def test_a_name_that_cannot_be_looked_up_is_unavailable_and_nothing_arrived() -> None:
    nothing_sent(put(f"http://{'a.' * 120}invalid/orders/{{order_id}}"))


def test_a_look_up_that_hangs_is_left_behind_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch, end: threading.Event
) -> None:
    def hangs(*_: object, **__: object) -> list[object]:
        end.wait(LIMIT_SECONDS)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    started_at = time.monotonic()

    reason = nothing_sent(put("http://api.invalid/orders/{order_id}", seconds=ATTEMPT_SECONDS))

    assert time.monotonic() - started_at < LATE_SECONDS
    assert "within 0.3 s" in reason


def test_a_connection_that_opens_after_the_deadline_is_closed_and_carries_nothing(
    monkeypatch: pytest.MonkeyPatch, end: threading.Event
) -> None:
    look_up = socket.getaddrinfo

    def late(host: str, port: int, *rest: int) -> object:
        end.wait(LIMIT_SECONDS)
        return look_up(host, port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", late)
    with ScriptedApi([always(OK)]).serving() as server:
        nothing_sent(put(server.url, seconds=ATTEMPT_SECONDS))
        end.set()
        limit = time.monotonic() + LIMIT_SECONDS
        while server.ended < 1:
            assert time.monotonic() < limit
            time.sleep(0.002)

    assert (server.connections, server.requests) == (1, [])


def test_a_connection_that_fails_ahead_of_the_turn_shows_with_the_attempt() -> None:
    api = HttpApi("http://api.invalid/orders/{order_id}", attempt_seconds=5.0)

    api.connect()

    nothing_sent(api.send(outgoing()))


def test_opening_never_takes_a_whole_long_attempt() -> None:
    assert OPENING_SECONDS <= 10


# TLS.


def test_a_trusted_certificate_for_the_right_host_is_accepted(shown: Certificate) -> None:
    with ScriptedApi([always(OK)], shown.context).serving() as server:
        attempt = put(server.url, ca_file=shown.ca_file)

    assert attempt == Accepted(200)


def test_a_self_signed_certificate_fails_closed(shown: Certificate) -> None:
    with ScriptedApi([always(OK)], shown.context).serving() as server:
        reason = nothing_sent(put(server.url))

    assert "its certificate is not trusted: self-signed certificate" in reason
    assert server.requests == []


def test_a_trusted_certificate_for_another_host_fails_closed(tmp_path: Path) -> None:
    shown = certificate(tmp_path, host="other.test")
    with ScriptedApi([always(OK)], shown.context).serving() as server:
        reason = nothing_sent(put(server.url, ca_file=shown.ca_file))

    assert "its certificate is not trusted" in reason
    assert server.requests == []


def test_an_expired_certificate_fails_closed(tmp_path: Path) -> None:
    shown = certificate(tmp_path, is_expired=True)
    with ScriptedApi([always(OK)], shown.context).serving() as server:
        reason = nothing_sent(put(server.url, ca_file=shown.ca_file))

    assert reason.endswith("its certificate is not trusted: certificate has expired")


def test_an_old_protocol_version_fails_closed(shown: Certificate) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        shown.context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        shown.context.minimum_version = ssl.TLSVersion.TLSv1
    with ScriptedApi([always(OK)], shown.context).serving() as server:
        nothing_sent(put(server.url, ca_file=shown.ca_file))


def test_plain_http_on_a_tls_port_fails_closed(shown: Certificate) -> None:
    def plain(peer: Peer) -> None:
        peer.sock.recv(1)
        peer.say(OK)

    with ScriptedApi([plain]).serving() as server:
        nothing_sent(put(server.url.replace("http:", "https:"), ca_file=shown.ca_file))


def silent(peer: Peer) -> None:
    peer.until_client_closes()


def dripping_handshake(end: threading.Event) -> Script:
    def script(peer: Peer) -> None:
        record = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(1000)
        for byte in record:
            peer.say(bytes([byte]))
            end.wait(0.02)

    return script


@pytest.mark.parametrize("drips", [False, True])
def test_a_handshake_that_takes_for_ever_is_left_behind_at_the_deadline(
    shown: Certificate, end: threading.Event, drips: bool
) -> None:
    script = dripping_handshake(end) if drips else silent
    started_at = time.monotonic()

    with ScriptedApi([script]).serving() as server:
        url = server.url.replace("http:", "https:")
        nothing_sent(put(url, ca_file=shown.ca_file, seconds=ATTEMPT_SECONDS))

    assert time.monotonic() - started_at < LATE_SECONDS


def test_a_missing_authority_file_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        HttpApi("https://a.test/{order_id}", attempt_seconds=1.0, ca_file=tmp_path / "none.pem")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with ScriptedApi([always(OK)]).serving() as server:
        assert put(server.url) == Accepted(200)
