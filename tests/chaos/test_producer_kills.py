"""Killed again and again, two runs at once, a stream that fails: every order is there once."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.uploads.id_repeats import NO_REPEATS
from ledger.uploads.upload import Progress, Source, UploadState
from orders.upload import UploadId, upload_id
from sandbox.code_archive import CHECKOUT
from tests.chaos.real_drain import drained
from tests.support.eventually import eventually
from tests.support.producer_pipeline import Pipeline, deployed_pipeline
from tests.support.producer_world import order_line

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

LINES = 60_000
PROGRAM = Path(__file__).with_name("producer_run.py")
LIMIT_SECONDS = 240.0


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with deployed_pipeline(tmp_path / "aws", {"ShardCount": "2"}) as deployed:
        yield deployed


@pytest.mark.kcl
@pytest.mark.parametrize(("lanes", "kills"), [(1, 20), (3, 5)])
def test_kills_anywhere_lose_nothing_and_the_drain_sends_each_order_once(
    pipeline: Pipeline, lanes: int, kills: int, tmp_path: Path
) -> None:
    dice = random.Random(lanes)  # noqa: S311 - a test's dice
    lines = [order_line(n) if n % 1_000 else b"{broken" for n in range(1, LINES + 1)]
    upload = _store(pipeline, b"\n".join(lines))
    points = sorted(dice.randrange(LINES) for _ in range(kills))

    for number, point in enumerate(points):
        seeds = [dice.random() for _ in range(1 + (number % 3 == 0))]
        with _runs(pipeline, upload, lanes=lanes, seeds=seeds):
            _wait_for_orders(pipeline, upload, point)
    with _runs(pipeline, upload, lanes=lanes, seeds=[0.5]) as (last,):
        assert last.wait(LIMIT_SECONDS) == 0

    account = pipeline.ledger.read_account(upload)
    assert account is not None
    assert account.upload.state is UploadState.SENDING
    assert account.upload.read_complete
    seen = pipeline.seen(upload)
    assert seen.bodies == {n: line for n, line in enumerate(lines, 1) if n % 1_000}
    assert account.enqueued == len(seen.bodies)
    assert account.upload.progress.invalid == LINES // 1_000
    assert len(seen.ends) == lanes
    assert account.upload.id_repeats == NO_REPEATS

    received = drained(pipeline, upload, tmp_path)

    assert received == Counter(sha256(body).hexdigest() for body in seen.bodies.values())
    account = pipeline.ledger.read_account(upload)
    assert account is not None
    assert account.upload.state is UploadState.DONE_WITH_PROBLEMS
    assert account.tally.accepted == len(seen.bodies)


def _store(pipeline: Pipeline, content: bytes) -> UploadId:
    """An upload that no event tells of, so that only the runs of this test read it."""
    key = "elsewhere/orders.jsonl"
    stored = pipeline.s3.put_object(Bucket=pipeline.bucket, Key=key, Body=content)
    source = Source(pipeline.bucket, key, stored["VersionId"], stored["ETag"], len(content))
    upload = upload_id(pipeline.bucket, key, stored["VersionId"])
    pipeline.ledger.announce(upload, source, now=time.time())
    return upload


@contextmanager
def _runs(
    pipeline: Pipeline, upload: UploadId, *, lanes: int, seeds: list[float]
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Runs of one upload at once; all are killed in the end."""
    settings = {
        "ORDERS_BUCKET": pipeline.bucket,
        "ORDERS_STREAM": pipeline.outputs["StreamName"],
        "ORDERS_LEDGER_TABLE": pipeline.outputs["LedgerTableName"],
        "ORDERS_INTAKE_QUEUE_URL": pipeline.outputs["IntakeQueueUrl"],
        "ORDERS_LANES": str(lanes),
        "ORDERS_SHARD_BYTES_PER_SECOND": "none",
        "ORDERS_AGGREGATE_BYTES": "15000",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(CHECKOUT),
    }
    processes = []
    try:
        for seed in seeds:
            command = [sys.executable, str(PROGRAM), upload, str(int(seed * 1_000_000))]
            processes.append(subprocess.Popen(command, env=os.environ | settings, cwd=CHECKOUT))
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait_for_orders(pipeline: Pipeline, upload: UploadId, orders: int) -> None:
    def enough() -> bool:
        account = pipeline.ledger.read_account(upload)
        progress = account.upload.progress if account else Progress()
        return progress.enqueued >= orders or (account is not None and account.upload.read_complete)

    eventually(enough, f"a run that enqueued {orders} orders", seconds=LIMIT_SECONDS)
