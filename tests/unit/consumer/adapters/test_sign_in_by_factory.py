"""Auth classes of one's own that raise, hang or change more than a header."""

import threading
import time
import traceback
from collections.abc import Callable, Iterator

import pytest
from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.request_headers import RequestHeaders
from consumer.adapters.sign_in import signed
from consumer.adapters.sign_in_by_factory import (
    FactorySignIn,
    FactoryUnusable,
    imported_factory,
    made_auth,
)

SECRET = "s3cret-value-0001"


class Signs(AuthBase):
    """An auth that does this to a request."""

    def __init__(self, does: Callable[[PreparedRequest], object]) -> None:
        self.does = does

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        self.does(r)
        return r


@pytest.fixture
def end() -> Iterator[threading.Event]:
    ended = threading.Event()
    yield ended
    ended.set()


def request() -> PreparedRequest:
    made = PreparedRequest()
    made.method, made.url, made.body = "PUT", "https://api.example.com/orders/1", b'{"a": 1}'
    made.headers = RequestHeaders({"Content-Length": "8"})
    return made


def sign_in(does: Callable[[PreparedRequest], object]) -> FactorySignIn:
    return FactorySignIn(lambda: Signs(does), "shop_auth:make")


def test_an_auth_class_that_hangs_is_cut_off(end: threading.Event) -> None:
    way = sign_in(lambda _: end.wait(20))
    began = time.monotonic()

    with pytest.raises(CredentialUnreadable, match="did not sign in time"):
        signed(request(), way.auth(seconds=0.1))

    assert time.monotonic() - began < 5


def test_one_that_hangs_for_ever_takes_no_thread_for_each_attempt(end: threading.Event) -> None:
    way = sign_in(lambda _: end.wait(20))
    before = threading.active_count()

    for _ in range(300):
        with pytest.raises(CredentialUnreadable):
            signed(request(), way.auth(seconds=0.001))

    assert threading.active_count() - before <= 70


def test_a_factory_that_hangs_at_the_start_is_named(
    monkeypatch: pytest.MonkeyPatch, end: threading.Event
) -> None:
    monkeypatch.setattr("consumer.adapters.sign_in_by_factory.FACTORY_SECONDS", 0.1)

    with pytest.raises(FactoryUnusable, match="shop_auth:make did not end within"):
        made_auth(lambda: end.wait(20), "shop_auth:make")


def test_a_factory_that_ends_the_process_is_named() -> None:
    def leaves() -> object:
        raise SystemExit(SECRET)

    with pytest.raises(FactoryUnusable, match="shop_auth:make raised SystemExit"):
        made_auth(leaves, "shop_auth:make")


def test_a_module_that_ends_the_process_is_named() -> None:
    with pytest.raises(FactoryUnusable, match="cannot be imported"):
        imported_factory("tests.support.leaving_module:make")


def test_no_secret_of_a_factory_that_raises_is_in_the_traceback() -> None:
    def raises() -> object:
        raise ValueError(SECRET)

    with pytest.raises(FactoryUnusable) as raised:
        FactorySignIn(raises, "shop_auth:make")

    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_no_secret_of_an_auth_that_raises_is_in_the_traceback() -> None:
    def raises(_: PreparedRequest) -> None:
        raise ValueError(SECRET)

    with pytest.raises(CredentialUnreadable) as raised:
        signed(request(), sign_in(raises).auth(seconds=5))

    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_a_secret_that_is_put_into_the_body_or_the_path_is_hidden() -> None:
    def into_both(r: PreparedRequest) -> None:
        r.body = b'{"key": "%b", "a": 1}' % SECRET.encode()
        r.url = "https://api.example.com/k/path-secret-0002/orders/1"

    way = sign_in(into_both)
    auth = way.auth(seconds=5)
    signed(request(), auth)

    assert (
        way.hide(f"unknown {SECRET} path-secret-0002", auth) == "unknown [credential] [credential]"
    )


def test_a_body_that_is_changed_gets_its_own_length() -> None:
    made = signed(request(), sign_in(lambda r: setattr(r, "body", b"12")).auth(seconds=5))

    assert made.headers["Content-Length"] == "2"


def test_names_of_fields_may_be_bytes_as_requests_takes_them() -> None:
    def by_bytes(r: PreparedRequest) -> None:
        r.headers[b"X-Key"] = SECRET.encode()  # type: ignore[index, assignment]

    made = signed(request(), sign_in(by_bytes).auth(seconds=5))

    assert "X-Key: s3cret-value-0001\r\n" in RequestHeaders(made.headers).lines()


@pytest.mark.parametrize(
    "does",
    [
        lambda r: r.headers.update({"Content-Length": "3"}),
        lambda r: r.headers.update({"Transfer-Encoding": "chunked"}),
        lambda r: r.headers.pop("Content-Length"),
        lambda r: r.headers.update({"X\r\nY": "1"}),
        lambda r: r.headers.update({"X: a\r": "1"}),
        lambda r: setattr(r, "method", "PUT / HTTP/1.1\r\nX:"),
        lambda r: setattr(r, "url", r.url + " HTTP/1.1\rX"),
    ],
)
def test_what_would_change_where_the_request_ends_is_not_sent(
    does: Callable[[PreparedRequest], object],
) -> None:
    with pytest.raises(CredentialUnreadable, match="ORDERS_API_AUTH sets"):
        signed(request(), sign_in(does).auth(seconds=5))


def test_a_factory_that_fails_when_it_is_asked_again_keeps_the_old_auth() -> None:
    made: list[AuthBase] = [HTTPBasicAuth("shop", SECRET)]

    way = FactorySignIn(made.pop, "shop_auth:make")
    auth = way.auth(seconds=5)
    way.refused(auth)

    assert signed(request(), way.auth(seconds=5)).headers["Authorization"].startswith("Basic ")


def test_a_factory_that_hangs_when_it_is_asked_again_takes_one_thread(
    monkeypatch: pytest.MonkeyPatch, end: threading.Event
) -> None:
    monkeypatch.setattr("consumer.adapters.credentials.READ_AGAIN_SECONDS", 0.0)
    made: list[AuthBase] = [HTTPBasicAuth("shop", SECRET)]
    way = FactorySignIn(lambda: made.pop() if made else end.wait(20), "shop_auth:make")
    monkeypatch.setattr("consumer.adapters.sign_in_by_factory.FACTORY_SECONDS", 0.0)
    before = threading.active_count()

    for _ in range(20):
        way.refused(way.auth(seconds=0.002))

    assert threading.active_count() - before <= 1
