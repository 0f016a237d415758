"""Settings of the request's shape reach the worker of a sandbox, and the sandbox's API."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from sandbox.running import running_sandbox
from tests.support.command_desk import Desk, order_line

pytestmark = [pytest.mark.e2e, pytest.mark.kcl]

SHAPE = {
    "ORDERS_API_METHOD": "POST",
    "ORDERS_API_URL": "https://api.example.com/v2/shops/{customer_id}/orders",
    "ORDERS_API_BODY": '{"reference": "{upload}:{line}", "order": {body}}',
    "ORDERS_API_HEADERS": '{"X-Shop": "12"}',
    "ORDERS_API_IDEMPOTENCY_HEADER": "X-Request-Id",
    "ORDERS_API_STATUSES": "404=accepted",
}
LINES = [order_line(1), order_line(2), order_line(3).replace(b"C-3", b".."), order_line(4)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("shaped") / "sandbox"
    with patch.dict(os.environ, SHAPE), running_sandbox(folder, ["--rate", "5/s"]) as up:
        yield Desk(up)


def test_orders_arrive_in_the_shape_that_was_set_and_answers_mean_what_was_set(
    desk: Desk, tmp_path: Path
) -> None:
    desk.api.add_fault(kind="status", status=404, for_requests=1)

    upload = desk.upload(tmp_path, "shaped.jsonl", b"\n".join(LINES))
    seen = desk.until_over(upload)

    bodies = {
        f"ORDER-{line:05d}": b'{"reference": "%b:%d", "order": %b}'
        % (upload.encode(), line, LINES[line - 1])
        for line in (1, 2, 4)
    }
    log = desk.api.requests()
    assert (seen["accepted"], seen["refused"]) == (3, 1)
    assert [(request.order_id, request.status) for request in log] == [
        ("ORDER-00001", 404),
        ("ORDER-00002", 200),
        ("ORDER-00004", 200),
    ]
    assert {request.order_id: request.body_sha256 for request in log} == {
        order_id: hashlib.sha256(body).hexdigest() for order_id, body in bodies.items()
    }
    assert len({request.idempotency_key for request in log} - {None}) == len(log)
    assert ".." in desk.type("dead-letters", "list", "--upload", upload).out
