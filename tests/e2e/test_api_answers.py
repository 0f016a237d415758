import hashlib
import json
import re
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.http_api import HttpApi
from consumer.delivery.attempts import (
    Accepted,
    Attempt,
    Conflict,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from sandbox.api.server import api_in_threads
from tests.e2e.scripted_api import (
    LIMIT_SECONDS,
    OK,
    Peer,
    Script,
    ScriptedApi,
    always,
    answering,
    dripping,
    then_silent,
)
from tests.support.outgoing import outgoing

ATTEMPT_SECONDS = 0.3
LATE_SECONDS = ATTEMPT_SECONDS + 1.0  # a busy machine may be late; a hanging attempt is never done
MORE_THAN_SOCKETS_HOLD = 60_000_000
BODY = b'{"order_id": "o-1"}'


@pytest.fixture
def sandbox_api() -> Iterator[str]:
    with api_in_threads() as address:
        yield address


def control(address: str, method: str, path: str, **fields: object) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{address}/_sandbox/{path}", json.dumps(fields).encode() if fields else None, method=method
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
        content: bytes = answer.read()
        return content


def received(address: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in control(address, "GET", "requests").splitlines()]


def put(url: str, *, order_id: str = "o-1", body: bytes = BODY, seconds: float = 5.0) -> Attempt:
    api = HttpApi(url, attempt_seconds=seconds)
    try:
        return api.send(outgoing(order_id, body))
    finally:
        api.close()


def put_to(*scripts: Script, body: bytes = BODY, seconds: float = 5.0) -> Attempt:
    with ScriptedApi(scripts).serving() as api:
        return put(api.url, body=body, seconds=seconds)


def unavailable(attempt: Attempt) -> Unavailable:
    assert isinstance(attempt, Unavailable), attempt
    return attempt


# The published table, row by row.

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api-answers.md"

ROWS: dict[type[Attempt], str] = {
    Accepted: "200 201 202 203 204 205 206 226 299",
    Refused: "400 402 404 405 406 410 411 413 414 415 417 418 421 422 423 424 426 428 431 451 499",
    Conflict: "409",
    Unauthorized: "401 403",
    Unavailable: "300 301 302 303 304 305 307 308 399 "
    "408 425 500 501 502 503 504 505 507 511 520 599",
    Throttled: "429",
}


@pytest.mark.parametrize(
    ("status", "expected"),
    [(int(status), kind) for kind, row in ROWS.items() for status in row.split()],
)
def test_every_status_comes_to_what_the_published_table_says(
    sandbox_api: str, status: int, expected: type[Attempt]
) -> None:
    control(sandbox_api, "POST", "faults", kind="status", status=status)

    attempt = put(f"{sandbox_api}/orders/{{order_id}}")

    assert type(attempt) is expected
    assert getattr(attempt, "status", status) == status
    assert [(entry["path"], entry["status"]) for entry in received(sandbox_api)] == [
        ("/orders/o-1", status)
    ]


def published() -> Iterator[tuple[str, type[Attempt]]]:
    """What the page says: a status or a class of statuses, and what it is taken for."""
    kinds = {kind.__name__.lower(): kind for kind in ROWS}
    for row in re.findall(r"^\| (.*?) \| \**(\w+)", PAGE.read_text(), re.MULTILINE):
        for answer in re.findall(r"\b\d(?:\d\d|xx)\b", row[0]):
            yield answer, Conflict if answer == "409" else kinds[row[1]]


def test_every_row_of_the_published_page_is_tested_with_what_the_page_says() -> None:
    tested = {int(status): kind for kind, row in ROWS.items() for status in row.split()}
    page = dict(published())

    named = {int(answer): kind for answer, kind in page.items() if answer.isdecimal()}
    classes = {int(answer[0]): kind for answer, kind in page.items() if not answer.isdecimal()}

    assert set(classes) == {2, 3, 4, 5}
    assert named.keys() <= tested.keys()
    assert tested == {status: named.get(status, classes[status // 100]) for status in tested}


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_outside_of_all_classes_is_unavailable(status: int) -> None:
    attempt = put_to(always(b"HTTP/1.1 %d Odd\r\nContent-Length: 0\r\n\r\n" % status))

    assert attempt == Unavailable(status, f"the API answered {status}", may_have_arrived=True)


def test_an_order_arrives_as_it_is_with_its_key_and_type(sandbox_api: str) -> None:
    attempt = put(f"{sandbox_api}/orders/{{order_id}}")

    [entry] = received(sandbox_api)
    assert attempt == Accepted(200)
    assert (entry["method"], entry["idempotency_key"]) == ("PUT", "key-1")
    assert entry["body_sha256"] == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("order_id", "path"),
    [
        ("a/../b", "/orders/a%2F..%2Fb"),
        ("..a", "/orders/..a"),
        ("%2E%2E", "/orders/%252E%252E"),
        ("a b+c", "/orders/a%20b%2Bc"),
        ("x?y=1#z&;,:@$!'()*", "/orders/x%3Fy%3D1%23z%26%3B%2C%3A%40%24%21%27%28%29%2A"),
        ("Größe-№7-🚚", "/orders/Gr%C3%B6%C3%9Fe-%E2%84%967-%F0%9F%9A%9A"),
        ('{"\\^`|<>', "/orders/%7B%22%5C%5E%60%7C%3C%3E"),
    ],
)
def test_an_order_id_is_one_path_segment_whatever_is_in_it(
    sandbox_api: str, order_id: str, path: str
) -> None:
    put(f"{sandbox_api}/orders/{{order_id}}", order_id=order_id)

    assert [(entry["path"], entry["order_id"]) for entry in received(sandbox_api)] == [
        (path, order_id)
    ]


def test_a_refusal_keeps_the_start_of_the_answer_for_a_person(sandbox_api: str) -> None:
    control(sandbox_api, "POST", "faults", kind="status", status=404)

    attempt = put(f"{sandbox_api}/orders/{{order_id}}")

    assert attempt == Refused(
        404, "the API answered 404 Not Found", '{"error": "The sandbox was told to answer so."}'
    )


@pytest.mark.parametrize(
    ("status", "retry_after", "wait_seconds"),
    [(429, "7", 7.0), (503, "120", 120.0), (429, "soon", None), (503, "-3", None)],
)
def test_retry_after_is_handed_on(
    sandbox_api: str, status: int, retry_after: str, wait_seconds: float | None
) -> None:
    control(sandbox_api, "POST", "faults", kind="status", status=status, retry_after=retry_after)

    attempt = put(f"{sandbox_api}/orders/{{order_id}}")

    assert isinstance(attempt, Throttled | Unavailable)
    assert attempt.wait_seconds == wait_seconds


def test_a_429_without_quota_left_waits_for_the_reset_that_its_fields_name() -> None:
    attempt = put_to(
        always(
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n"
            b'RateLimit-Policy: "hour";q=3600;w=3600\r\nRateLimit: "hour";r=0;t=40\r\n\r\n'
        )
    )

    assert attempt == Throttled(40.0, "the API answered 429 Too Many Requests")


# Answers that do not come, or not in time.


def test_an_api_that_hangs_before_its_answer_is_cut_off_at_the_deadline(sandbox_api: str) -> None:
    control(sandbox_api, "POST", "faults", kind="hang")
    started_at = time.monotonic()

    attempt = unavailable(put(f"{sandbox_api}/orders/{{order_id}}", seconds=ATTEMPT_SECONDS))

    assert time.monotonic() - started_at < LATE_SECONDS
    assert (attempt.status, attempt.may_have_arrived) == (None, True)
    assert attempt.reason == "no complete answer in time"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"HTTP/1.1 2", None, id="in the status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", None, id="in the head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, id="before the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", 200, id="in the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nab", 200, id="in a body without a length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", 200, id="in chunks"
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", None, id="after an interim answer"),
    ],
)
def test_an_api_that_hangs_in_the_middle_of_its_answer_is_cut_off_at_the_deadline(
    answer: bytes, status: int | None
) -> None:
    started_at = time.monotonic()

    attempt = unavailable(put_to(then_silent(answer), seconds=ATTEMPT_SECONDS))

    assert time.monotonic() - started_at < LATE_SECONDS
    assert (attempt.status, attempt.may_have_arrived) == (status, True)


def test_a_body_that_drips_is_cut_off_at_the_deadline(sandbox_api: str) -> None:
    control(sandbox_api, "POST", "faults", kind="drip", latency_seconds=0.05)
    started_at = time.monotonic()

    attempt = unavailable(put(f"{sandbox_api}/orders/{{order_id}}", seconds=ATTEMPT_SECONDS))

    assert time.monotonic() - started_at < LATE_SECONDS
    assert (attempt.status, attempt.may_have_arrived) == (200, True)


def test_a_head_that_drips_is_cut_off_at_the_deadline() -> None:
    end = threading.Event()
    started_at = time.monotonic()

    attempt = unavailable(
        put_to(dripping(OK, pause=end, pause_seconds=0.05), seconds=ATTEMPT_SECONDS)
    )
    end.set()

    assert time.monotonic() - started_at < LATE_SECONDS
    assert (attempt.status, attempt.may_have_arrived) == (None, True)


def test_an_api_that_takes_no_more_of_a_large_order_is_cut_off_at_the_deadline() -> None:
    def deaf(_: Peer) -> None:
        done.wait(LIMIT_SECONDS)

    done = threading.Event()
    seconds = 2.0  # time enough for the first byte, however busy the machine is

    with ScriptedApi([deaf]).serving() as server:
        client = HttpApi(server.url, attempt_seconds=seconds)
        client.connect()
        order = outgoing("o-1", b"x" * MORE_THAN_SOCKETS_HOLD)
        started_at = time.monotonic()
        attempt = unavailable(client.send(order))
        took_seconds = time.monotonic() - started_at
        done.set()
        client.close()

    assert took_seconds < LIMIT_SECONDS / 2
    assert attempt.reason == "no complete answer in time"
    assert attempt.may_have_arrived


def test_an_answer_in_time_is_accepted_however_slow(sandbox_api: str) -> None:
    control(sandbox_api, "POST", "faults", kind="slow", latency_seconds=0.2)

    assert put(f"{sandbox_api}/orders/{{order_id}}") == Accepted(200)


def test_a_reset_instead_of_an_answer_is_unavailable_and_may_have_arrived(sandbox_api: str) -> None:
    control(sandbox_api, "POST", "faults", kind="reset")

    attempt = unavailable(put(f"{sandbox_api}/orders/{{order_id}}"))

    assert (attempt.status, attempt.may_have_arrived) == (None, True)
    assert attempt.reason == "the connection was lost: Connection reset by peer"


# Answers that are none.

HUGE = b"x" * 100_000


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        pytest.param(b"", None, "closed without an answer", id="nothing"),
        pytest.param(b"HTTP/1.1 200", None, "in the middle of the answer", id="half a line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b", None, "in the middle", id="half a head"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n", None, "not HTTP", id="another protocol"),
        pytest.param(b"<html>hello</html>", None, "not HTTP", id="a page without a head"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46", None, "not HTTP", id="a TLS alert"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", None, "not HTTP", id="no status"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", 200, "in the middle", id="too short"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            200,
            "in the middle",
            id="chunks without an end",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            200,
            "not HTTP",
            id="a chunk without a size",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            200,
            "not HTTP",
            id="an endless chunk size",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", None, "not HTTP", id="minus one"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
            None,
            "not HTTP",
            id="two lengths",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            None,
            "not HTTP",
            id="a length and chunks",
        ),
        pytest.param(
            b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nxyz",
            None,
            "another protocol",
            id="an upgrade",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nA: " + HUGE + b"\r\nContent-Length: 0\r\n\r\n",
            None,
            "head is longer than 65,536 bytes",
            id="a field of 100 kB",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"A: 1234567890\r\n" * 10_000 + b"Content-Length: 0\r\n\r\n",
            None,
            "head is longer than 65,536 bytes",
            id="100 kB of fields",
        ),
        pytest.param(HUGE, None, "not HTTP", id="100 kB without a line"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000, None, "longer", id="only interim answers"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + HUGE,
            200,
            "body is longer than 65,536 bytes",
            id="a large body",
        ),
        pytest.param(
            b"HTTP/1.1 404 No\r\nContent-Length: 9999999999\r\n\r\n" + HUGE,
            404,
            "body is longer than 65,536 bytes",
            id="a body of gigabytes",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n\r\n" + HUGE,
            200,
            "body is longer than 65,536 bytes",
            id="a large body without a length",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 60_000,
            200,
            "body is longer than 65,536 bytes",
            id="tiny chunks",
        ),
    ],
)
def test_a_broken_or_oversized_answer_is_unavailable(
    answer: bytes, status: int | None, reason: str
) -> None:
    attempt = unavailable(put_to(answering(answer)))

    assert (attempt.status, attempt.may_have_arrived) == (status, True)
    assert reason in attempt.reason


def test_a_broken_answer_still_says_how_long_to_wait() -> None:
    attempt = put_to(
        answering(b"HTTP/1.1 503 No\r\nRetry-After: 9\r\nContent-Length: 100\r\n\r\nhalf")
    )

    assert unavailable(attempt).wait_seconds == 9.0


# Answers that are unusual, and sound.


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n{}", id="a body that ends with the connection"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n{}", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", id="HTTP/1.0, length"),
        pytest.param(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", id="no reason phrase"),
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", id="bare line feeds"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="no body"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
            id="interim answers first",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2;a=b\r\n{}\r\n0\r\nT: r\r\n\r\n",
            id="chunks, an extension, a trailer",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
            b"Content-Length: 2\r\n\r\n{}",
            id="an offer to upgrade",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nEmpty:\r\nFolded: a\xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
            id="an empty field and odd bytes",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60_000, id="60 kB of body"
        ),
    ],
)
def test_an_unusual_answer_that_is_whole_counts(answer: bytes) -> None:
    attempt = put_to(answering(answer))

    assert isinstance(attempt, Accepted)


def test_an_answer_in_single_bytes_counts() -> None:
    never = threading.Event()

    assert put_to(dripping(OK, pause=never, pause_seconds=0.0)) == Accepted(200)


def test_an_answer_before_the_order_was_all_sent_counts_only_where_it_refuses() -> None:
    def hasty(status: bytes) -> Script:
        def script(peer: Peer) -> None:
            peer.sock.recv(1)
            peer.say(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
            done.wait(5)

        return script

    done = threading.Event()
    large = b"x" * 30_000_000
    refused = put_to(hasty(b"413 Too Large"), body=large)
    accepted = put_to(hasty(b"200 OK"), body=large)
    done.set()

    assert isinstance(refused, Refused)
    assert unavailable(accepted).reason == "it was answered before it was all sent"
