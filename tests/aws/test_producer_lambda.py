"""The producer as a real Lambda, run by real S3 events through a real queue (ministack)."""

import gzip
import time
from collections.abc import Iterator

import pytest

from ledger.pace.change import change
from ledger.pace.steps import configure
from ledger.uploads.id_repeats import NO_REPEATS, IdRepeats
from ledger.uploads.upload import UploadState
from orders.invalid_report import read_report_parts, report_folder
from tests.support.eventually import eventually
from tests.support.producer_pipeline import Pipeline, deployed_pipeline
from tests.support.producer_world import order_line

pytestmark = pytest.mark.aws

LINES = [order_line(number) for number in range(1, 3_001)]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    parameters = {
        "FunctionSeconds": "5",
        "VisibilitySeconds": "12",
        "MaxReceiveCount": "2",
        "Lanes": "2",
        "ShardCount": "2",
        "Rate": "100/s",
        "RetentionHours": "24",
        "ShardBytesPerSecond": "200000",
    }
    folder = tmp_path_factory.mktemp("pipeline")
    with deployed_pipeline(folder / "aws", parameters) as deployed:
        yield deployed


def test_an_upload_is_read_by_itself(pipeline: Pipeline) -> None:
    lines = [*LINES]
    lines[9] = b'{"order_id":"broken'
    lines[19] = b""

    upload = pipeline.upload(b"\n".join(lines), "uploads/first ä+b.jsonl")
    account = pipeline.when_read(upload)

    assert account.upload.state is UploadState.SENDING
    assert account.upload.source.key == "uploads/first ä+b.jsonl"
    assert (account.lines_read, account.enqueued) == (3_000, 2_998)
    seen = pipeline.seen(upload)
    assert seen.bodies == {n: line for n, line in enumerate(LINES, 1) if n not in (10, 20)}
    assert seen.repeats == 0
    assert len(seen.ends) == 2
    keys = pipeline.s3.list_objects_v2(
        Bucket=pipeline.bucket, Prefix=report_folder("reports/", upload)
    )["Contents"]
    parts = [
        pipeline.s3.get_object(Bucket=pipeline.bucket, Key=one["Key"])["Body"].read()
        for one in keys
    ]
    (invalid,) = read_report_parts(parts)
    assert invalid.line == 10


def test_a_file_that_needs_four_hand_overs_arrives_whole(pipeline: Pipeline) -> None:
    lines = [order_line(number, pad="x" * 2_000) for number in range(1, 3_501)]
    lines[3_400] = order_line(5, pad="x" * 2_000)

    upload = pipeline.upload(b"\n".join(lines), "uploads/long.jsonl")
    account = pipeline.when_read(upload)

    assert len(pipeline.runs) >= 5
    seen = pipeline.seen(upload)
    assert seen.bodies == dict(enumerate(lines, 1))
    assert seen.repeats == 0
    # Line 3,401 repeats line 5, which another run read.
    assert account.upload.id_repeats.in_file == 1


def test_order_ids_of_an_earlier_upload_are_counted(pipeline: Pipeline) -> None:
    first, second = (
        b"\n".join(order_line(number, note=name) for number in range(50_000, 50_000 + orders))
        for name, orders in (("a", 900), ("b", 1_000))
    )

    earlier = pipeline.upload(first, "uploads/ids-a.jsonl")
    before = pipeline.when_read(earlier)
    after = pipeline.when_read(pipeline.upload(second, "uploads/ids-b.jsonl"))

    assert before.upload.id_repeats == NO_REPEATS
    assert after.upload.id_repeats == IdRepeats(sent_before=900, sent_by=(earlier,))


def test_an_upload_that_is_cancelled_while_it_is_read_is_read_no_further(
    pipeline: Pipeline,
) -> None:
    lines = [order_line(number, pad="x" * 2_000) for number in range(1, 3_501)]
    upload = pipeline.upload(b"\n".join(lines), "uploads/cancelled.jsonl")

    def begun() -> bool:
        account = pipeline.ledger.read_account(upload)
        return bool(account and account.enqueued)

    eventually(begun)
    pipeline.ledger.cancel(upload, reason="the wrong file", now=time.time())
    account = pipeline.when_read(upload)

    assert account.upload.state is UploadState.CANCELLED
    assert 0 < account.enqueued < len(lines)
    seen = pipeline.seen(upload)
    assert seen.bodies == {n: lines[n - 1] for n in seen.bodies}
    assert len(seen.bodies) == account.enqueued
    assert len(seen.ends) == 2


def test_a_gzip_file_continues_where_it_stopped(pipeline: Pipeline) -> None:
    header = b"order_id,customer_id,sku,quantity,unit_price,currency,note\n"
    records = b"".join(b"A-%d,C,S,1,9.99,EUR,%s\n" % (n, b"x" * 2_000) for n in range(1_000))

    upload = pipeline.upload(gzip.compress(header + records), "uploads/packed.csv.gz")
    account = pipeline.when_read(upload)

    assert len(pipeline.runs) >= 2
    assert account.enqueued == 1_000
    seen = pipeline.seen(upload)
    assert sorted(seen.bodies) == list(range(2, 1_002))
    assert seen.repeats == 0


def test_events_repeated_and_reordered_are_one_upload(pipeline: Pipeline) -> None:
    content, key = b"\n".join(LINES), "elsewhere/repeated.jsonl"
    stored = pipeline.s3.put_object(Bucket=pipeline.bucket, Key=key, Body=content)
    event = pipeline.event(key, version=stored["VersionId"], size_bytes=len(content))

    for _ in range(3):
        pipeline.tell(event)

    (upload,) = eventually(
        lambda: [
            account.upload.id
            for account in pipeline.ledger.open_accounts()
            if account.upload.source.key.startswith("elsewhere/")
        ]
    )
    account = pipeline.when_read(upload)
    assert account.enqueued == 3_000
    assert pipeline.seen(upload).bodies == dict(enumerate(LINES, 1))


def test_an_object_that_was_removed_before_it_was_read_is_lost(pipeline: Pipeline) -> None:
    pipeline.tell(pipeline.event("uploads/gone.jsonl", version="v", size_bytes=9))

    def lost() -> str | None:
        for account in pipeline.ledger.open_accounts():
            if account.upload.state is UploadState.SOURCE_LOST:
                return account.upload.reason
        return None

    assert eventually(lost).endswith("gone from the bucket; orders read before that are sent")


def test_an_upload_that_would_outlive_the_stream_is_refused(pipeline: Pipeline) -> None:
    change(pipeline.ledger, lambda pace: configure(pace, "1/h", now=time.time()))

    upload = pipeline.upload(b"\n".join(LINES[:900]), "uploads/huge.jsonl")
    account = pipeline.when_read(upload)

    assert account.upload.state is UploadState.REFUSED_ADMISSION
    assert "(about 900 of this file)" in account.upload.reason
    assert "and upload it again" in account.upload.reason
    assert not account.upload.listed_open
    assert pipeline.seen(upload).bodies == {}
