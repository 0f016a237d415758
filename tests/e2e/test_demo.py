"""The demo does what it says, without a terminal, and keeps its promises."""

import io
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orders.upload import UploadId
from orders_cli.demo.acts import DemoHistory
from orders_cli.demo.file import BROKEN_LINE, LINES, demo_file
from orders_cli.demo.judgement import judge, tell_end
from orders_cli.demo.narrator import Narrator
from orders_cli.demo.play import drop_settings
from sandbox.code_archive import CHECKOUT
from sandbox.judge.observations import Numbers, Observed, Request

SECONDS = 75.0
BUSY_SECONDS = 150.0
"""The cores may be busy, and KCL may take its time to come back; else the demo ends in SECONDS."""
UPLOAD = UploadId("0123456789abcdef0123")
AROUND = {"ORDERS_BATCH": "100", "ORDERS_ORDER_MODEL": "models.shop:ShopOrder"}
"""Settings of somebody's own orders and API, which have no part in the demo."""


@pytest.mark.e2e
@pytest.mark.kcl
@pytest.mark.chaos
@pytest.mark.slow
def test_the_demo_keeps_every_promise_in_about_a_minute(tmp_path: Path) -> None:
    began_at = time.monotonic()

    ended = subprocess.run(
        [sys.executable, "-m", "orders_cli.main", "demo"],
        cwd=CHECKOUT,
        env={**os.environ, **AROUND, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [line.split(".")[0] for line in lines if line.endswith("PASS")] == list("123456")
    assert ended.stdout.count("PASS") == 6
    assert "FAIL" not in ended.stdout
    assert "\x1b" not in ended.stdout
    assert f"the demo does not use the {', '.join(AROUND)} of this shell" in ended.stdout
    assert list(tmp_path.iterdir()) == []
    assert time.monotonic() - began_at < SECONDS + BUSY_SECONDS


def faithful() -> Observed:
    """What the judge sees where nothing at all goes wrong, at one order a second."""
    file = demo_file()
    orders = file.orders(UPLOAD)
    requests = [
        Request(
            t=100.0 + index,
            method="PUT",
            order_id=order.order_id,
            status=422 if order.order_id == file.refused_id else 200,
            idempotency_key=order.idempotency_key,
            body_sha256=order.body_sha256,
        )
        for index, order in enumerate(orders)
    ]
    numbers = Numbers(LINES, 0, 1, LINES - 1, LINES - 2, 1, 0, 0, 0)
    return Observed(orders, requests, [numbers])


def told(seen: Observed) -> tuple[bool, str]:
    stream = io.StringIO()
    verdicts = judge(seen, DemoHistory(), demo_file())
    return tell_end(Narrator(stream), seen, verdicts), stream.getvalue()


def test_a_faithful_run_ends_with_six_kept_promises() -> None:
    kept, text = told(faithful())

    assert kept
    assert text.count("PASS") == 6
    assert "40 lines read = 0 blank + 1 invalid + 39 enqueued" in text
    assert "39 enqueued = 38 accepted + 1 refused + 0 cancelled + 0 missing + 0 waiting" in text


def test_a_lost_order_ends_in_a_promise_that_is_not_kept() -> None:
    seen = faithful()

    kept, text = told(replace(seen, requests=seen.requests[:-1]))

    assert not kept
    assert [line[0] for line in text.splitlines() if line.endswith("FAIL")] == ["1", "5"]


def test_the_file_holds_one_broken_line_and_one_order_that_will_be_refused() -> None:
    file = demo_file()

    assert len(file.lines) == 40
    assert len(file.orders(UPLOAD)) == 39
    assert BROKEN_LINE not in {order.line for order in file.orders(UPLOAD)}
    assert file.refused_id in {order.order_id for order in file.orders(UPLOAD)}


def test_only_the_settings_of_the_machine_are_left_to_the_demo() -> None:
    around = {**AROUND, "ORDERS_JAVA": "/usr/bin/java", "HOME": "/root"}

    ignored = drop_settings(around)

    assert ignored == list(AROUND)
    assert around == {"ORDERS_JAVA": "/usr/bin/java", "HOME": "/root"}
