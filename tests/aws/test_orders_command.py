"""The `orders` command against S3, SQS and DynamoDB in this process (moto)."""

import csv
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
import boto3.s3.inject
import jsonschema
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

import orders_cli
from consumer.kcl.lease_table import LeaseTable
from ledger.dynamodb.ledger import DynamoLedger
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.limits import Limits
from ledger.pace.pace import Blocker
from ledger.uploads.dead_letter import UNREADABLE, DeadLetter, position_of_line
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.settlement import Settlement, Span
from ledger.uploads.upload import LaneTail, Progress, Source, UploadKind, UploadState
from orders.file_reading import ReadingLimits
from orders.id_hashes import id_hashes
from orders.id_parts import IdPart, write_id_part
from orders.invalid_report import report_key, write_report_part
from orders.outcome import Outcome
from orders.parsed_lines import InvalidLine
from orders.upload import UploadId, upload_id
from orders_cli.bucket import UploadBucket
from orders_cli.command_options import whoami
from orders_cli.main import main
from orders_cli.redriver import Redriver
from orders_cli.store_once import store_file
from orders_cli.uploaded_before import expected_etag
from producer_lambda.id_part_store import S3IdParts
from tests.support.ledger_table import create_ledger_table
from tests.support.stores import claim

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import FilterRuleTypeDef, QueueConfigurationTypeDef

pytestmark = pytest.mark.aws

BUCKET, TABLE = "orders-uploads", "orders-ledger"
SCHEMAS = Path(orders_cli.__file__).parent / "schemas"


def order(number: int) -> bytes:
    fields = {"order_id": f"A-{number}", "customer_id": "c", "sku": "s", "quantity": 1}
    return json.dumps({**fields, "unit_price": "1.5", "currency": "EUR"}).encode()


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def document(self, schema: str) -> Any:  # noqa: ANN401 any of the documents
        found = json.loads(self.out)
        jsonschema.validate(found, json.loads((SCHEMAS / f"{schema}.json").read_text()))
        return found


@dataclass(frozen=True)
class Desk:
    """A terminal at a real account, as moto plays it."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    ledger: DynamoLedger
    storage: UploadBucket
    dead_letter_url: str

    def type(self, *words: str) -> Said:
        self.monkeypatch.setattr("sys.argv", ["orders", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self.capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    def store(self, name: str, content: bytes) -> UploadId:
        """An upload that the ledger knows and nobody has read yet."""
        self.storage.put_once(f"uploads/{name}", content)
        stored = self.storage.find(f"uploads/{name}")
        assert stored is not None
        self.ledger.announce(stored.upload, stored.source, now=time.time())
        return stored.upload

    def read(self, upload: UploadId, *, enqueued: int, invalid: int = 0) -> None:
        lines = enqueued + invalid
        progress = Progress(
            line=lines, invalid=invalid, enqueued=enqueued, tails=(LaneTail(lines, enqueued),)
        )
        self.ledger.start_run(upload, token="run", lanes=1, now=time.time())
        self.ledger.finish_reading(
            upload,
            token="run",
            progress=progress,
            state=UploadState.SENDING,
            reason="",
            now=time.time(),
        )

    def refuse(self, upload: UploadId, line: int, body: bytes | None) -> None:
        letter = DeadLetter(
            upload=upload,
            position=position_of_line(line),
            lane=0,
            line=line,
            order_id=f"A-{line}",
            body=body,
            status=422,
            reason="the API answered 422",
            answer="no such sku",
            attempts=1,
            first_attempt_at=1.0,
            refused_at=2.0 + line,
        )
        self.ledger.put_dead_letter(letter)


def tell_of_uploads(s3: "S3Client", queue: str, prefix: str = "uploads/") -> None:
    """Let the bucket tell a queue of every new object below a prefix."""
    rule: FilterRuleTypeDef = {"Name": "prefix", "Value": prefix}
    told: QueueConfigurationTypeDef = {
        "QueueArn": f"arn:aws:sqs:eu-central-1:123456789012:{queue}",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [rule]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}
    )


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    monkeypatch.setenv("ORDERS_BUCKET", BUCKET)
    monkeypatch.setenv("ORDERS_LEDGER_TABLE", TABLE)
    monkeypatch.setenv("ORDERS_STREAM", "orders-stream")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        dynamodb = boto3.client("dynamodb")
        create_ledger_table(dynamodb, TABLE)
        boto3.client("kinesis").create_stream(StreamName="orders-stream", ShardCount=1)
        sqs = boto3.client("sqs")
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
        policy = json.dumps({"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 5})
        intake = sqs.create_queue(QueueName="intake", Attributes={"RedrivePolicy": policy})
        monkeypatch.setenv("ORDERS_INTAKE_QUEUE_URL", intake["QueueUrl"])
        tell_of_uploads(s3, "intake")
        ledger = DynamoLedger(dynamodb, TABLE)
        yield Desk(monkeypatch, capsys, ledger, UploadBucket(s3, BUCKET), dead)


@contextmanager
def calls_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """The calls of AWS by name, of every client."""
    calls: Counter[str] = Counter()
    really: Any = boto3.Session.client

    def client(session: boto3.Session, *names: Any, **options: Any) -> Any:  # noqa: ANN401
        made = really(session, *names, **options)
        made.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(boto3.Session, "client", client)
        yield calls


# --- upload ---------------------------------------------------------------------------------------


def test_an_upload_stores_the_file_and_its_row_and_prints_id_and_key(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1) + b"\n")

    first = desk.type("upload", str(file), "--yes", "--json").document("upload")
    second = desk.type("upload", str(file), "--yes", "--json").document("upload")

    assert first["upload"] == upload_id(BUCKET, first["key"], first["version_id"])
    assert first["key"] != second["key"]
    assert first["state"] == "reading"
    assert desk.storage.read(first["key"]) == file.read_bytes()
    assert desk.ledger.read_account(UploadId(first["upload"])) is not None


def test_stdout_carries_only_the_answer_and_stderr_the_target(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    said = desk.type("upload", str(file), "--yes")

    words = [line.split() for line in said.out.splitlines()]
    assert [line[0] for line in words] == ["upload", "key"]
    assert "AWS account 123456789012 in eu-central-1" in said.err


def test_a_real_account_is_changed_only_by_who_says_yes(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    said = desk.type("upload", str(file))

    assert said.code == 2
    assert "--yes" in said.err
    assert list(desk.storage.keys("uploads/")) == []


@pytest.mark.parametrize("name", ["absent.jsonl", ".", "orders.xlsx"])
def test_what_is_no_file_of_orders_is_refused(desk: Desk, tmp_path: Path, name: str) -> None:
    (tmp_path / "orders.xlsx").write_bytes(b"PK")

    said = desk.type("upload", str(tmp_path / name), "--yes")

    assert said.code == 2
    assert said.out == ""


def test_a_json_array_is_refused_before_it_is_stored(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.json"
    file.write_bytes(b"[" + order(1) + b"]")

    said = desk.type("upload", str(file), "--yes")

    assert said.code == 2
    assert "it is a JSON array: write one order per line, as jq -c '.[]' does" in said.err
    assert list(desk.storage.keys("uploads/")) == []


def test_an_empty_file_is_uploaded_with_a_word_of_warning(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.touch()

    said = desk.type("upload", str(file), "--yes")

    assert said.code == 0
    assert "is empty" in said.err


def test_a_bucket_without_versions_is_refused(desk: Desk, tmp_path: Path) -> None:
    boto3.client("s3").put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
    )
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    said = desk.type("upload", str(file), "--yes")

    assert said.code == 2
    assert "ORDERS_BUCKET" in said.err
    assert list(desk.storage.keys("")) == []


def wrong_table(desk: Desk) -> None:
    desk.monkeypatch.setenv("ORDERS_LEDGER_TABLE", "another-table")


def wrong_region(desk: Desk) -> None:
    desk.monkeypatch.setenv("AWS_REGION", "us-east-1")


def wrong_bucket(desk: Desk) -> None:
    desk.monkeypatch.setenv("ORDERS_BUCKET", "another-bucket")


def bucket_of_another_pipeline(_: Desk) -> None:
    boto3.client("sqs").create_queue(QueueName="staging-intake")
    tell_of_uploads(boto3.client("s3"), "staging-intake")


def prefix_that_nobody_hears_of(desk: Desk) -> None:
    desk.monkeypatch.setenv("ORDERS_UPLOAD_PREFIX", "incoming/")


@pytest.mark.parametrize(
    "mistake",
    [
        wrong_table,
        wrong_region,
        wrong_bucket,
        bucket_of_another_pipeline,
        prefix_that_nobody_hears_of,
    ],
)
def test_nothing_is_stored_where_ledger_or_bucket_are_not_the_pipeline_s(
    desk: Desk, tmp_path: Path, mistake: Callable[[Desk], None]
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    mistake(desk)

    said = desk.type("upload", str(file), "--yes")

    assert (said.code, said.out) == (2, "")
    assert "Nothing was stored." in said.err
    assert list(desk.storage.keys("")) == []


def the_ledger_goes(desk: Desk) -> None:
    """From the moment when the file is stored, the table is not there."""
    really = DynamoLedger.announce

    def announce(ledger: DynamoLedger, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        boto3.client("dynamodb").delete_table(TableName=TABLE)
        return really(ledger, *args, **kwargs)

    desk.monkeypatch.setattr(DynamoLedger, "announce", announce)


def test_once_the_file_is_stored_id_and_key_are_printed_though_the_ledger_fails(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    the_ledger_goes(desk)

    said = desk.type("upload", str(file), "--yes")

    (key,) = desk.storage.keys("uploads/")
    found = desk.storage.find(key)
    assert found is not None
    assert said.code == 5
    assert said.out.split() == ["upload", found.upload, "key", key]
    assert f"The file IS stored as {key}" in said.err
    assert "do not upload it again" in said.err
    assert f"orders uploads show {found.upload}" in said.err


@pytest.mark.parametrize("words", [[], ["--wait"]])
def test_the_document_is_printed_though_the_ledger_fails(
    desk: Desk, tmp_path: Path, words: list[str]
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    the_ledger_goes(desk)

    said = desk.type("upload", str(file), "--yes", "--json", *words)

    document = said.document("upload")
    assert said.code == 5
    assert document["upload"] == upload_id(BUCKET, document["key"], document["version_id"])
    assert document["state"] == "reading"
    assert list(desk.storage.keys("uploads/")) == [document["key"]]
    assert "IS stored" in said.err


def test_the_document_is_printed_though_nobody_watches_to_the_end(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    def ctrl_c(_: float) -> None:
        raise KeyboardInterrupt

    desk.monkeypatch.setattr("orders_cli.upload_watch.time.sleep", ctrl_c)
    said = desk.type("upload", str(file), "--yes", "--json", "--wait")

    assert said.code == 130
    assert said.document("upload")["state"] == "reading"


Send = Callable[..., None]


def at_the_upload(desk: Desk, act: Callable[[Send], None]) -> None:
    """Let the storing go as `act` says; it is given the real thing, without arguments."""
    really = boto3.s3.inject.upload_fileobj

    def upload_fileobj(client: "S3Client", file: BinaryIO, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        content = file.read()

        def send() -> None:
            really(client, BytesIO(content), *args, **kwargs)

        act(send)

    desk.monkeypatch.setattr("boto3.s3.inject.upload_fileobj", upload_fileobj)


def the_answer_is_lost(send: Send) -> None:
    send()
    raise ReadTimeoutError(endpoint_url="https://s3")


def the_library_repeats_it(send: Send) -> None:
    send()
    send()


@pytest.mark.parametrize("lose", [the_answer_is_lost, the_library_repeats_it])
def test_a_file_whose_storing_was_not_answered_is_one_upload(
    desk: Desk, tmp_path: Path, lose: Callable[[Send], None]
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    at_the_upload(desk, lose)

    document = desk.type("upload", str(file), "--yes", "--json").document("upload")

    versions = boto3.client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    assert [(one["Key"], one["VersionId"]) for one in versions] == [
        (document["key"], document["version_id"])
    ]
    assert document["size_bytes"] == len(order(1))


def test_a_file_that_s3_stores_only_after_the_time_out_is_found(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    sends: list[Send] = []

    def time_out(send: Send) -> None:
        sends.append(send)
        raise ReadTimeoutError(endpoint_url="https://s3")

    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            sends.pop()()

    at_the_upload(desk, time_out)
    desk.monkeypatch.setattr("orders_cli.store_once.sleep", wait)
    said = desk.type("upload", str(file), "--yes", "--json")

    assert said.code == 0
    assert [said.document("upload")["key"]] == list(desk.storage.keys("uploads/"))
    assert len(pauses) == 2


def test_a_file_that_may_still_be_stored_is_named_with_its_key(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    def time_out(_: Send) -> None:
        raise ReadTimeoutError(endpoint_url="https://s3")

    at_the_upload(desk, time_out)
    desk.monkeypatch.setattr("orders_cli.store_once.sleep", lambda _: None)
    said = desk.type("upload", str(file), "--yes", "--json")

    assert (said.code, said.out) == (5, "")
    assert re.search(r"whether the file will be stored as uploads/\S+-march\.jsonl: ", said.err)
    assert "may still appear" in said.err
    assert "`orders uploads`" in said.err


def test_an_earlier_try_without_an_answer_may_still_be_stored_though_the_last_never_went_out(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    tries: list[str] = []

    def fail(request: Any, **_: object) -> None:  # noqa: ANN401
        tries.append(request.url)
        error = ReadTimeoutError if len(tries) == 1 else EndpointConnectionError
        raise error(endpoint_url="https://s3")

    really: Any = boto3.Session.client

    def client(session: boto3.Session, *names: Any, **options: Any) -> Any:  # noqa: ANN401
        made = really(session, *names, **options)
        made.meta.events.register_first("before-send.s3.PutObject", fail)
        return made

    desk.monkeypatch.setattr(boto3.Session, "client", client)
    desk.monkeypatch.setattr("orders_cli.store_once.sleep", lambda _: None)
    desk.monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    said = desk.type("upload", str(file), "--yes")

    assert len(tries) > 1
    assert (said.code, said.out) == (5, "")
    assert "may still appear" in said.err


def test_a_large_file_is_stored_in_parts_as_one_version(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(b"\n".join(order(number) for number in range(100_000)))

    document = desk.type("upload", str(file), "--yes", "--json").document("upload")

    found = desk.storage.find(document["key"])
    assert found is not None
    assert found.upload == document["upload"]
    assert found.source.size_bytes == document["size_bytes"] == file.stat().st_size
    assert found.source.etag.rpartition("-")[2] != found.source.etag


def test_a_file_that_was_not_stored_leaves_no_answer(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    def fail(_: Send) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3")

    at_the_upload(desk, fail)
    said = desk.type("upload", str(file), "--yes")

    assert (said.code, said.out) == (5, "")
    assert "IS stored" not in said.err


def test_a_file_that_may_be_stored_is_named_with_its_key(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    def unreachable(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3")

    at_the_upload(desk, the_answer_is_lost)
    with desk.monkeypatch.context() as patch:
        patch.setattr(UploadBucket, "find", unreachable)
        said = desk.type("upload", str(file), "--yes")

    (key,) = desk.storage.keys("uploads/")
    assert said.code == 5
    assert f"It is unknown whether the file was stored as {key}" in said.err


@pytest.mark.parametrize("is_stored", [True, False])
def test_ctrl_c_says_whether_the_file_is_stored(
    desk: Desk, tmp_path: Path, *, is_stored: bool
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))

    def ctrl_c(send: Send) -> None:
        if is_stored:
            send()
        raise KeyboardInterrupt

    at_the_upload(desk, ctrl_c)
    said = desk.type("upload", str(file), "--yes", "--wait")

    assert said.code == 130
    assert ("IS stored" in said.err, "upload  " in said.out) == (is_stored, is_stored)
    assert ("none of it will be sent" in said.err) is not is_stored


def test_waiting_ends_with_the_upload_and_its_invalid_lines(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(b"broken\n")
    desk.monkeypatch.setattr("orders_cli.commands.upload.new_key", lambda p, n: f"{p}known-{n}")
    desk.storage.put_once("uploads/known-march.jsonl", b"broken\n")
    found = desk.storage.find("uploads/known-march.jsonl")
    assert found is not None

    rejected = [InvalidLine(1, "is no JSON", b"broken")]
    desk.storage.put_once(
        report_key("reports/", found.upload, start=0, end=7), write_report_part(rejected)
    )
    desk.ledger.announce(found.upload, found.source, now=time.time())
    desk.ledger.start_run(found.upload, token="run", lanes=1, now=time.time())
    desk.ledger.finish_reading(
        found.upload,
        token="run",
        progress=Progress(line=1, invalid=1),
        state=UploadState.DONE_WITH_PROBLEMS,
        reason="",
        now=time.time(),
    )

    said = desk.type("upload", str(file), "--yes", "--wait")

    assert said.code == 3
    assert "done_with_problems" in said.out
    assert "line 1: is no JSON: broken" in said.err


# --- the same orders twice ------------------------------------------------------------------------


def test_a_file_that_was_uploaded_before_is_warned_of(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    first = desk.type("upload", str(file), "--yes", "--json")

    again = desk.type("upload", str(file), "--yes")

    upload = first.document("upload")
    assert again.code == 0
    assert f"The same file was uploaded as {upload['key']} on " in again.err
    assert f"(upload {upload['upload']}, reading)" in again.err
    assert "same file" not in first.err


def test_a_file_that_was_uploaded_before_is_refused_where_the_setting_says_so(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    desk.type("upload", str(file), "--yes")
    desk.monkeypatch.setenv("ORDERS_DUPLICATES", "refuse")

    refused = desk.type("upload", str(file), "--yes")
    meant = desk.type("upload", str(file), "--yes", "--again", "--json")

    assert (refused.code, refused.out) == (2, "")
    assert "Nothing was stored." in refused.err
    assert "add --again" in refused.err
    assert meant.code == 0
    keys = list(desk.storage.keys("uploads/"))
    assert len(keys) == 2
    assert meant.document("upload")["key"] in keys


def sent(desk: Desk, name: str, *numbers: int) -> UploadId:
    """An upload of these orders that was read, with the ids that the producer keeps."""
    upload = desk.store(name, b"\n".join(map(order, numbers)))
    desk.read(upload, enqueued=len(numbers))
    hashes = id_hashes([f"A-{number}" for number in numbers])
    S3IdParts(desk.storage.client, BUCKET).put_id_part(
        IdPart(upload, 0, 1_000), write_id_part(hashes)
    )
    return upload


def test_ids_that_an_earlier_upload_has_are_warned_of_or_refused(
    desk: Desk, tmp_path: Path
) -> None:
    earlier = sent(desk, "earlier.jsonl", 1, 2, 3)
    desk.refuse(earlier, 3, order(3))
    file = tmp_path / "march.jsonl"
    file.write_bytes(b"\n".join(map(order, (7, 3, 8, 1))))
    stored = list(desk.storage.keys("uploads/"))
    desk.monkeypatch.setenv("ORDERS_DUPLICATES", "refuse")

    refused = desk.type("upload", str(file), "--yes")
    kept = list(desk.storage.keys("uploads/"))
    corrected = desk.type("upload", str(file), "--yes", "--corrects", earlier)
    meant = desk.type("upload", str(file), "--yes", "--again")
    file.write_bytes(b"\n".join(map(order, (3, 9))))
    desk.monkeypatch.setenv("ORDERS_DUPLICATES", "warn")
    warned = desk.type("upload", str(file), "--yes")
    file.write_bytes(b"\n".join(map(order, (3, 10))))
    desk.monkeypatch.setenv("ORDERS_DUPLICATES", "allow")
    allowed = desk.type("upload", str(file), "--yes")

    assert (refused.code, kept) == (2, stored)
    assert "Line 2 has the order id 'A-3', which an earlier upload has." in refused.err
    assert "Line 4 has the order id 'A-1', which an earlier upload has." in refused.err
    assert f"Also in upload {earlier}: 2 order ids of this file, " in refused.err
    assert [said.code for said in (corrected, meant, warned, allowed)] == [0, 0, 0, 0]
    assert "Line 1 has the order id 'A-3'" in warned.err
    assert "order id" not in meant.err + allowed.err
    assert "earlier upload" not in corrected.err


def test_who_may_not_read_the_kept_ids_is_told_so_and_uploads_all_the_same(
    desk: Desk, tmp_path: Path
) -> None:
    sent(desk, "earlier.jsonl", 1)
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1) + b"\n" + order(2))

    def denied(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")

    desk.monkeypatch.setattr(S3IdParts, "id_parts", denied)

    said = desk.type("upload", str(file), "--yes")

    assert said.code == 0
    assert "were not compared with earlier uploads: " in said.err


def test_ids_that_a_file_repeats_are_warned_of_or_refused(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "march.jsonl"
    lines = [order(1), b"broken", order(2), order(1), *[order(2)] * 9]
    file.write_bytes(b"\n".join(lines))

    warned = desk.type("upload", str(file), "--yes")
    desk.monkeypatch.setenv("ORDERS_DUPLICATES", "refuse")
    refused = desk.type("upload", str(file), "--yes")
    desk.monkeypatch.setenv("ORDERS_DUPLICATES", "allow")
    allowed = desk.type("upload", str(file), "--yes")

    assert (warned.code, refused.code, allowed.code) == (0, 2, 0)
    for said in (warned, refused):
        assert "Line 4 repeats the order id 'A-1' of line 1." in said.err
        assert "Line 5 repeats the order id 'A-2' of line 3." in said.err
        assert "5 more orders repeat an order id of this file." in said.err
    assert "repeat" not in allowed.err


@pytest.mark.parametrize("size_bytes", [0, 1, 8 << 20, (8 << 20) - 1, (16 << 20) + 1])
def test_the_etag_of_a_file_is_known_before_it_is_stored(
    desk: Desk, tmp_path: Path, size_bytes: int
) -> None:
    file = tmp_path / "march.jsonl"
    file.write_bytes(b"x" * size_bytes)

    with file.open("rb") as content:
        stored = store_file(desk.storage, content, "uploads/known.jsonl", lambda _: None)

    assert stored.source.etag.strip('"') == expected_etag(file)


# --- looking --------------------------------------------------------------------------------------


def test_status_and_uploads_answer_as_their_schemas_say(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1))
    desk.read(upload, enqueued=1)

    status = desk.type("status", "--json").document("status")
    uploads = desk.type("uploads", "--json").document("uploads")
    shown = desk.type("uploads", "show", upload[:6], "--json").document("upload")

    assert status["uploads"][0]["upload"] == upload
    assert status["waiting"] == 1
    assert [{"schema": 1, **one} for one in uploads["uploads"]] == [shown]


def test_without_a_terminal_everything_is_plain_text(desk: Desk) -> None:
    desk.store("a.jsonl", order(1))

    for words in (["status"], ["uploads"], ["uploads", "show", "0000"], ["doctor"]):
        assert "\x1b" not in desk.type(*words).out


def test_an_event_in_the_intake_s_dead_letter_queue_shows_and_stays_there(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1))
    account = desk.ledger.read_account(upload)
    assert account is not None
    source = account.upload.source
    stored = {"key": source.key, "versionId": source.version_id, "size": 1, "eTag": "e"}
    record = {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": BUCKET}, "object": stored},
    }
    event = {"Records": [record]}
    boto3.client("sqs").send_message(QueueUrl=desk.dead_letter_url, MessageBody=json.dumps(event))

    first = desk.type("status", "--json").document("status")
    again = desk.type("status", "--json").document("status")

    assert "dead-letter queue" in first["uploads"][0]["reason"]
    assert again == {**first, "runway_seconds": again["runway_seconds"]}
    assert upload in desk.type("status").out


def end_uploads(desk: Desk, count: int) -> None:
    """Uploads that ended lately."""
    for number in range(count):
        upload = UploadId(f"{number:020x}")
        now = time.time()
        desk.ledger.announce(upload, Source(BUCKET, "uploads/a.jsonl", "v", "e", 0), now=now)
        desk.ledger.cancel(upload, reason="wrong file", now=now)


def test_a_look_costs_as_many_calls_with_many_ended_uploads_as_with_few(desk: Desk) -> None:
    looks = ("status", "uploads", "pace", "doctor")
    upload = desk.store("a.jsonl", order(1))
    desk.read(upload, enqueued=1)

    def calls(word: str) -> Counter[str]:
        with calls_counted(desk.monkeypatch) as counted:
            desk.type(word)
        return counted

    few = {word: calls(word) for word in looks}
    end_uploads(desk, 12)

    many = {word: calls(word) for word in looks}

    assert many == few
    for word in looks:
        assert few[word]["Query"] + few[word]["BatchGetItem"] <= (8 if word == "doctor" else 4)


def test_the_pace_is_shown_without_reading_the_uploads_that_ended(desk: Desk) -> None:
    end_uploads(desk, 2)

    with calls_counted(desk.monkeypatch) as calls:
        desk.type("pace")

    assert calls["Query"] == 2  # the open ones, whose counts tell the pace, and the workers


def test_who_waits_for_an_upload_reads_only_that_one_at_each_look(
    desk: Desk, tmp_path: Path
) -> None:
    looks = 12
    file = tmp_path / "march.jsonl"
    file.write_bytes(order(1))
    end_uploads(desk, 12)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == looks:
            (account,) = desk.ledger.open_accounts()
            desk.ledger.cancel(account.upload.id, reason="enough", now=time.time())

    desk.monkeypatch.setattr("orders_cli.upload_watch.time.sleep", sleep)
    with calls_counted(desk.monkeypatch) as calls:
        said = desk.type("upload", str(file), "--yes", "--wait")

    assert said.code == 3
    assert looks < calls["Query"] < looks + 10
    assert calls["GetItem"] < looks


def test_the_invalid_lines_of_an_upload_are_listed(desk: Desk) -> None:
    upload = desk.store("a.jsonl", b"x\ny\n")
    for start, text in ((0, b"x"), (2, b"y")):
        part = write_report_part([InvalidLine(start // 2 + 1, "is no JSON", text)])
        desk.storage.put_once(report_key("reports/", upload, start=start, end=start + 2), part)

    plain = desk.type("uploads", "invalid", upload)
    lines = desk.type("uploads", "invalid", upload, "--json", "--limit", "1").out.splitlines()

    assert plain.out == "line 1: is no JSON: x\nline 2: is no JSON: y\n"
    assert json.loads(lines[0]) == {"line": 1, "reason": "is no JSON", "raw": "x"}
    assert len(lines) == 1


def test_an_unknown_upload_is_a_wrong_use(desk: Desk) -> None:
    assert desk.type("uploads", "show", "ffff").code == 2


# --- steering -------------------------------------------------------------------------------------


def test_the_pace_is_set_over_the_configured_one_and_taken_back(desk: Desk) -> None:
    change(desk.ledger, lambda pace: steps.configure(pace, "1/s", now=time.time()))

    faster = desk.type("pace", "2/s", "--yes", "--reason", "they allow it")
    shown = desk.type("pace")
    back = desk.type("pace", "default", "--yes")

    told = f"2/s (override by {whoami()} until `orders pace default`: they allow it)\n"
    assert (faster.out, shown.out) == (told, told)
    assert back.out == "1/s (configured)\n"


def test_the_pace_is_told_as_its_schema_says(desk: Desk) -> None:
    limits = Limits("50000/d", "", "Europe/Berlin")
    now = time.time()
    change(
        desk.ledger,
        lambda pace: steps.configure_limits(steps.configure(pace, "1/s", now=now), limits, now=now),
    )

    said = desk.type("pace", "--json").document("pace")
    both = desk.type("pace", "2/s", "--json", "--yes")

    assert said["pace"]["target_per_second"] == 1.0
    assert said["pace"]["quotas"] == [{"quota": "50000/d", "limit": 50_000, "used": 0}]
    assert both.code == 2
    assert "--json" in both.err


@pytest.mark.parametrize("rate", ["fast", "0/s", "5000/s", "-1/s"])
def test_a_pace_that_is_none_is_refused_with_the_grammar(desk: Desk, rate: str) -> None:
    said = desk.type("pace", "--yes", "--", rate)

    assert said.code == 2
    assert "N[.N]/s" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ["pause", "--until", "0m"],
        ["pause", "--until", ""],
        ["pace", "2/s", "--until", "0m"],
        ["pace", "default", "--until", "2h"],
        ["pace", "--until", "2h"],
    ],
)
def test_an_end_that_ends_nothing_is_a_wrong_use(desk: Desk, words: list[str]) -> None:
    before = desk.ledger.read_pace()

    said = desk.type(*words, "--yes")

    assert said.code == 2
    assert "--until" in said.err
    assert desk.ledger.read_pace() == before


def test_a_pause_ends_by_itself_or_by_resume_which_lifts_blockers_too(desk: Desk) -> None:
    change(desk.ledger, lambda pace: steps.configure(pace, "1/s", now=time.time()))
    desk.ledger.take_claim(claim("a", heartbeat_at=time.time()), instead_of=None)
    paused = desk.type("pause", "--yes", "--until", "2h", "--reason", "their database moves")
    blocker = Blocker("refusal budget spent", "21 of 100", time.time())
    change(desk.ledger, lambda pace: steps.block(pace, "budget", blocker))

    resumed = desk.type("resume", "--yes")

    assert "their database moves" in paused.out
    assert resumed.out == "resumed; lifted: the pause, refusal budget spent (21 of 100)\n"
    assert desk.type("resume", "--yes").out == "resumed; nothing stood in the way\n"
    assert desk.ledger.read_pace().paused is None


def test_a_cancelled_upload_stays_cancelled(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1))
    desk.read(upload, enqueued=5)

    first = desk.type("cancel", upload[:8], "--yes", "--reason", "wrong list")
    second = desk.type("cancel", upload, "--yes")

    account = desk.ledger.read_account(upload)
    assert account is not None
    assert account.upload.state is UploadState.CANCELLED
    assert "wrong list" in account.upload.reason
    assert "5 will not be sent" in first.out
    assert "was already cancelled" in second.out


# --- dead letters ---------------------------------------------------------------------------------


def test_dead_letters_are_listed_and_shown(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1))
    desk.refuse(upload, 1, order(1))

    listed = desk.type("dead-letters", "list", "--json").document("dead-letters")
    shown = desk.type("dead-letters", "show", upload, "1", "--json").document("dead-letter")

    assert listed["dead_letters"][0]["body"] == order(1).decode()
    assert shown["answer"] == "no such sku"
    assert upload in desk.type("dead-letters", "list").out
    assert "A-1" in desk.type("dead-letters", "show", upload, "1").out
    assert desk.type("dead-letters", "show", upload, "2").code == 2


def test_refused_orders_are_sent_again_once_as_a_linked_upload(desk: Desk) -> None:
    upload = desk.store("a.jsonl", b"\n".join([order(1), order(2), order(3)]))
    desk.refuse(upload, 1, order(1))
    desk.refuse(upload, 3, None)  # it was too large to keep

    [redriven] = desk.type("dead-letters", "redrive", "--yes", "--json").document("redriven")[
        "redriven"
    ]
    again = desk.type("dead-letters", "redrive", "--yes", "--json").document("redriven")

    assert redriven["orders"] == 2
    assert desk.storage.read(redriven["key"]) == order(1) + b"\n" + order(3) + b"\n"
    account = desk.ledger.read_account(UploadId(redriven["redriven_as"]))
    assert account is not None
    assert account.upload.kind is UploadKind.REDRIVE
    assert account.upload.linked == upload
    assert again["redriven"] == []


class Interrupted(Exception):
    """Ctrl-C, the network, a crash."""


STEPS = (
    *("claim_letters", "seal_redrive", "put_once", "find"),
    *("announce", "link", "mark_redriven", "end_redrive"),
)


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_redrive_is_ended_by_the_next_one(desk: Desk, step: str) -> None:
    upload = desk.store("a.jsonl", order(1))
    for line in (1, 2):
        desk.refuse(upload, line, order(line))
    redriver = Redriver(desk.ledger, desk.storage, ReadingLimits())
    owner = UploadBucket if step in {"find", "put_once"} else type(desk.ledger)

    def interrupt(*_: object, **__: object) -> None:
        raise Interrupted

    with desk.monkeypatch.context() as patch:
        patch.setattr(owner, step, interrupt)
        with pytest.raises(Interrupted):
            redriver.redrive(upload, key="uploads/first.jsonl", now=1.0)
    assert sorted(desk.ledger.redrivable_uploads()) == [upload]
    redriven = redriver.redrive(upload, key="uploads/second.jsonl", now=2.0)

    assert redriven is not None
    assert redriven.key == "uploads/first.jsonl"
    assert list(desk.storage.keys("uploads/")) == ["uploads/a.jsonl", "uploads/first.jsonl"]
    letters = desk.ledger.dead_letters(upload, limit=10)
    assert {letter.redriven_as for letter in letters} == {redriven.redriven_as}
    assert sorted(desk.ledger.redrivable_uploads()) == []


def test_an_order_refused_later_is_not_in_the_file_of_an_interrupted_redrive(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1))
    desk.refuse(upload, 1, order(1))
    redriver = Redriver(desk.ledger, desk.storage, ReadingLimits())
    with desk.monkeypatch.context() as patch:
        patch.setattr(UploadBucket, "find", lambda *_: (_ for _ in ()).throw(Interrupted()))
        with pytest.raises(Interrupted):
            redriver.redrive(upload, key="uploads/first.jsonl", now=1.0)
    desk.refuse(upload, 2, order(2))

    first = redriver.redrive(upload, key="uploads/unused.jsonl", now=2.0)
    second = redriver.redrive(upload, key="uploads/second.jsonl", now=3.0)

    assert first is not None
    assert second is not None
    assert desk.storage.read(first.key) == order(1) + b"\n"
    assert desk.storage.read(second.key) == order(2) + b"\n"


def test_an_order_whose_file_is_gone_keeps_no_other_upload_from_being_sent_again(
    desk: Desk,
) -> None:
    uploads = sorted(desk.store(name, order(1) + b"\n") for name in ("a.jsonl", "b.jsonl"))
    lost, good = uploads
    desk.refuse(lost, 1, None)  # it was too large to keep
    desk.refuse(good, 1, order(1))
    account = desk.ledger.read_account(lost)
    assert account is not None
    source = account.upload.source
    boto3.client("s3").delete_object(
        Bucket=BUCKET, Key=source.key, VersionId=source.version_id
    )  # as a lifecycle does

    first = desk.type("dead-letters", "redrive", "--yes", "--json")
    again = desk.type("dead-letters", "redrive", "--yes", "--upload", lost)

    assert (first.code, again.code) == (3, 3)
    (redriven,) = first.document("redriven")["redriven"]
    assert redriven["upload"] == good
    for said in (first, again):
        assert f"Line 1 of upload {lost} is not sent again" in said.err
        assert f"{source.key} is gone. Upload that order in a new file." in said.err
    assert again.out == ""
    assert [letter.redriven_as for letter in desk.ledger.dead_letters(lost, limit=9)] == [None]


def test_nothing_is_redriven_into_a_bucket_that_nobody_hears_of(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1))
    desk.refuse(upload, 1, order(1))
    prefix_that_nobody_hears_of(desk)

    said = desk.type("dead-letters", "redrive", "--yes")

    assert said.code == 2
    assert list(desk.storage.keys("")) == ["uploads/a.jsonl"]
    assert [one.redriven_as for one in desk.ledger.dead_letters(upload, limit=9)] == [None]


def test_what_an_interrupted_redrive_left_and_what_came_since_go_in_one_command(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1))
    desk.refuse(upload, 1, order(1))
    redriver = Redriver(desk.ledger, desk.storage, ReadingLimits())
    with desk.monkeypatch.context() as patch:
        patch.setattr(UploadBucket, "find", lambda *_: (_ for _ in ()).throw(Interrupted()))
        with pytest.raises(Interrupted):
            redriver.redrive(upload, key="uploads/first.jsonl", now=1.0)
    desk.refuse(upload, 2, order(2))

    said = desk.type("dead-letters", "redrive", "--yes", "--json").document("redriven")
    again = desk.type("dead-letters", "redrive", "--yes", "--json").document("redriven")

    keys = [redriven["key"] for redriven in said["redriven"]]
    assert keys[0] == "uploads/first.jsonl"
    assert [desk.storage.read(key) for key in keys] == [order(1) + b"\n", order(2) + b"\n"]
    assert again["redriven"] == []


def refused(desk: Desk, count: int = 3) -> UploadId:
    """An upload whose orders were all refused, and which ended."""
    upload = desk.store("a.jsonl", b"".join(order(line) + b"\n" for line in range(1, count + 1)))
    for line in range(1, count + 1):
        desk.refuse(upload, line, order(line))
    desk.read(upload, enqueued=count)
    settle_all(desk, upload, count, Outcome.REFUSED)
    return upload


def settle_all(desk: Desk, upload: UploadId, count: int, outcome: Outcome) -> None:
    lane = desk.ledger.read_lane(LaneKey(upload, LaneNumber(0)))
    assert lane is not None
    settled = Span(prev=0, line=count, count=count, first_ordinal=1, outcome=outcome)
    desk.ledger.settle(lane, Settlement(spans=(settled,), ended=True))
    desk.ledger.close_if_drained(upload, now=time.time())


def test_a_dismissed_order_is_kept_and_neither_listed_nor_sent_again(desk: Desk) -> None:
    upload = refused(desk)

    said = desk.type("dead-letters", "dismiss", f"{upload[:6]}/2", "--reason", "twice", "--yes")
    redriven = desk.type("dead-letters", "redrive", "--yes", "--json").document("redriven")

    assert said.out == f"1 refused order of {upload} dismissed\n"
    [one] = redriven["redriven"]
    assert desk.storage.read(one["key"]) == order(1) + b"\n" + order(3) + b"\n"
    listed = desk.type("dead-letters", "list", "--json").document("dead-letters")["dead_letters"]
    assert [letter["line"] for letter in listed] == [3, 1]
    everything = desk.type("dead-letters", "list", "--all", "--json").document("dead-letters")
    states = {letter["line"]: letter["state"] for letter in everything["dead_letters"]}
    assert states == {1: "redriven", 2: "dismissed", 3: "redriven"}
    [found] = (desk.type("dead-letters", "show", upload, "2", "--json").document("dead-letter"),)
    assert (found["closure"]["by"], found["closure"]["reason"]) == (whoami(), "twice")
    assert "dismissed by" in desk.type("dead-letters", "list", "--all").out
    shown = desk.type("uploads", "show", upload, "--json").document("upload")
    assert (shown["refused"], shown["open_dead_letters"]) == (3, 0)


def test_all_orders_of_an_upload_are_dismissed_only_by_who_says_yes(desk: Desk) -> None:
    upload = refused(desk)

    doubtful = desk.type("dead-letters", "dismiss", upload)
    sure = desk.type("dead-letters", "dismiss", upload, "--yes", "--json")

    assert doubtful.code == 2
    assert json.loads(sure.out) == {"schema": 1, "upload": upload, "dismissed": 3}
    assert desk.type("dead-letters", "list").out == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [("1", "was dismissed by"), ("2", "was sent again already"), ("9", "was not refused")],
)
def test_an_order_is_acted_on_once(desk: Desk, line: str, sentence: str) -> None:
    upload = refused(desk)
    desk.type("dead-letters", "dismiss", f"{upload}/1", "--yes")
    desk.type("dead-letters", "redrive", f"{upload}/2", "--yes")

    for command in ("dismiss", "redrive"):
        said = desk.type("dead-letters", command, f"{upload}/{line}", "--yes")

        assert said.code == 2
        assert sentence in said.err


@pytest.mark.parametrize("name", ["", "/", "/x", "/0x1", "/²"])
def test_a_name_without_a_line_sends_nothing_again(desk: Desk, name: str) -> None:
    upload = refused(desk)

    assert desk.type("dead-letters", "redrive", f"{upload}{name}", "--yes").code == 2
    assert len(list(desk.storage.keys("uploads/"))) == 1


def test_one_order_is_sent_again_and_the_others_wait(desk: Desk) -> None:
    upload = refused(desk)

    said = desk.type("dead-letters", "redrive", f"{upload}/2", "--yes", "--json")

    [one] = said.document("redriven")["redriven"]
    assert desk.storage.read(one["key"]) == order(2) + b"\n"
    states = [letter.is_open for letter in desk.ledger.dead_letters(upload, limit=9)]
    assert states == [True, False, True]
    shown = desk.type("uploads", "show", upload, "--json").document("upload")
    assert shown["open_dead_letters"] == 2


def test_a_record_that_is_no_order_is_dismissed_by_its_place(desk: Desk) -> None:
    desk.refuse(UNREADABLE, 7, b"junk")
    position = position_of_line(7)

    again = desk.type("dead-letters", "redrive", f"unreadable/{position}", "--yes")
    said = desk.type("dead-letters", "dismiss", f"unreadable/{position}", "--yes")

    assert (again.code, said.code) == (2, 0)
    assert desk.type("dead-letters", "list", "--upload", "unreadable").out == ""


def test_refused_orders_are_exported_as_they_were(desk: Desk, tmp_path: Path) -> None:
    upload = desk.store("a.jsonl", b"".join(order(line) + b"\n" for line in (1, 2, 3)))
    desk.refuse(upload, 1, order(1))
    desk.refuse(upload, 2, order(2))
    desk.refuse(upload, 3, None)  # it was too large to keep
    desk.type("dead-letters", "dismiss", f"{upload}/2", "--yes")
    file = tmp_path / "refused.jsonl"

    said = desk.type("dead-letters", "export", "--form", "bodies", "--to", str(file))
    again = desk.type("dead-letters", "export", "--to", str(file))

    assert said.code == 0
    assert file.read_bytes() == order(1) + b"\n" + order(3) + b"\n"
    assert again.code == 2
    assert "refused.jsonl" in again.err


def test_refused_orders_are_exported_with_the_api_s_answers(desk: Desk) -> None:
    upload = refused(desk, 2)

    lines = desk.type("dead-letters", "export", "--upload", upload).out.splitlines()
    table = desk.type("dead-letters", "export", "--form", "csv").out

    assert [json.loads(line)["line"] for line in lines] == [1, 2]
    assert {json.loads(line)["answer"] for line in lines} == {"no such sku"}
    rows = list(csv.DictReader(StringIO(table)))
    assert [(row["line"], row["status"], row["redriven_as"]) for row in rows] == [
        ("1", "422", ""),
        ("2", "422", ""),
    ]


def test_what_a_shop_or_the_api_wrote_is_no_formula_in_an_exported_table(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1) + b"\n")
    formula = '=HYPERLINK("http://x.example","A")'
    named = DeadLetter(
        upload=upload,
        position=position_of_line(1),
        lane=0,
        line=1,
        order_id=formula,
        body=order(1),
        status=422,
        reason="-1",
        answer="@SUM(A1)",
        attempts=1,
        first_attempt_at=1.0,
        refused_at=2.0,
    )
    desk.ledger.put_dead_letter(named)

    [row] = csv.DictReader(StringIO(desk.type("dead-letters", "export", "--form", "csv").out))
    exact = json.loads(desk.type("dead-letters", "export").out)

    assert (row["order_id"], row["reason"], row["answer"]) == (f"'{formula}", "'-1", "'@SUM(A1)")
    assert row["body"] == order(1).decode()
    assert exact["order_id"] == formula


def test_what_has_no_order_any_more_is_named_by_an_export(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1) + b"\n")
    desk.refuse(upload, 5, None)  # the file ends before that line
    desk.refuse(UNREADABLE, 7, b"junk")

    said = desk.type("dead-letters", "export", "--form", "bodies")

    assert (said.code, said.out) == (3, "")
    assert f"Line 5 of upload {upload} is not written" in said.err
    assert "is no order" in said.err


def test_a_corrected_order_that_was_accepted_closes_its_letter(desk: Desk, tmp_path: Path) -> None:
    upload = refused(desk)
    file = tmp_path / "corrected.jsonl"
    file.write_bytes(b"broken\n" + order(2) + b"\n" + order(77) + b"\n")

    said = desk.type("upload", str(file), "--corrects", upload[:5], "--yes", "--json")
    correcting = UploadId(said.document("upload")["upload"])
    before = desk.type("dead-letters", "redrive", f"{upload}/2", "--yes")
    desk.read(correcting, enqueued=2, invalid=1)
    settle_all(desk, correcting, 3, Outcome.ACCEPTED)
    again = desk.type("dead-letters", "redrive", "--yes", "--json").document("redriven")

    assert "corrects 1 of the 3 open dead letters" in said.err
    assert (before.code, before.out) == (3, "")
    assert f"upload {correcting} corrects it and has not sent it yet" in before.err
    [one] = again["redriven"]
    assert desk.storage.read(one["key"]) == order(1) + b"\n" + order(3) + b"\n"
    letter = desk.ledger.read_dead_letter(upload, position_of_line(2))
    assert letter is not None
    assert letter.closure is not None
    assert letter.closure.corrected_in == correcting


def test_a_file_that_corrects_nothing_is_not_stored(desk: Desk, tmp_path: Path) -> None:
    upload = refused(desk)
    file = tmp_path / "corrected.jsonl"
    file.write_bytes(order(77) + b"\n")

    said = desk.type("upload", str(file), "--corrects", upload, "--yes")

    assert (said.code, said.out) == (2, "")
    assert "the id of an open dead letter" in said.err
    assert list(desk.storage.keys("uploads/")) == ["uploads/a.jsonl"]


def test_the_head_is_set_aside_by_its_line(desk: Desk) -> None:
    upload = desk.store("a.jsonl", b"broken\n" + order(2) + b"\n" + order(3) + b"\n")
    desk.read(upload, enqueued=2, invalid=1)
    lane = desk.ledger.read_lane(LaneKey(upload, LaneNumber(0)))
    assert lane is not None
    settled = Span(prev=0, line=2, count=1, first_ordinal=1, outcome=Outcome.ACCEPTED)
    desk.ledger.settle(lane, Settlement(spans=(settled,)))

    said = desk.type("dead-letters", "set-aside", upload, "--yes", "--reason", "typo")
    named = desk.type("dead-letters", "set-aside", upload, "--line", "2", "--yes")

    assert said.out == f"line 3 of upload {upload} will be set aside\n"
    assert desk.ledger.read_pace().set_aside[f"{upload}/3"].startswith("typo (")
    assert named.code == 2
    assert "settled already" in named.err


def test_an_unreadable_file_has_no_first_order_to_set_aside(desk: Desk) -> None:
    upload = desk.store("a.jsonl", b"PK\x03\x04 a spreadsheet")

    said = desk.type("dead-letters", "set-aside", upload, "--yes")

    assert said.code == 2
    assert "spreadsheet" in said.err
    assert "Traceback" not in said.err
    assert desk.ledger.read_pace().set_aside == {}


def test_what_no_worker_will_come_to_is_not_set_aside(desk: Desk) -> None:
    upload = desk.store("a.jsonl", order(1) + b"\n" + order(2) + b"\n")
    desk.read(upload, enqueued=2)
    before = desk.ledger.read_pace()

    beyond = desk.type("dead-letters", "set-aside", upload, "--line", "3", "--yes")
    lane = desk.ledger.read_lane(LaneKey(upload, LaneNumber(0)))
    assert lane is not None
    settled = Span(prev=0, line=2, count=2, first_ordinal=1, outcome=Outcome.ACCEPTED)
    desk.ledger.settle(lane, Settlement(spans=(settled,), ended=True))
    desk.ledger.close_if_drained(upload, now=time.time())
    ended = desk.type("dead-letters", "set-aside", upload, "--line", "1", "--yes")
    first = desk.type("dead-letters", "set-aside", upload, "--yes")

    assert [beyond.code, ended.code, first.code] == [2, 2, 2]
    assert "no line 3" in beyond.err
    assert "has ended (done)" in ended.err
    assert "has ended (done)" in first.err
    assert desk.ledger.read_pace() == before


# --- settings and the account ---------------------------------------------------------------------


def test_the_doctor_names_what_is_wrong(desk: Desk) -> None:
    desk.monkeypatch.setenv("ORDERS_METRICS_URL", "http://127.0.0.1:9/metrics")

    said = desk.type("doctor", "--json")

    grades = {f["thing"]: f["grade"] for f in said.document("findings")["findings"]}
    assert grades == {
        "ledger": "good",
        "bucket": "good",
        "stream": "warning",
        "leases": "warning",
        "intake": "good",
        "sending": "bad",
        "consumer": "bad",
    }
    assert said.code == 3


def leases_checked(desk: Desk, table: str) -> tuple[str, str]:
    """What the doctor says of the lease table of this name: the grade, and the sentence."""
    desk.monkeypatch.setenv("ORDERS_LEASE_TABLE", table)
    findings = desk.type("doctor", "--json").document("findings")["findings"]
    (leases,) = (finding for finding in findings if finding["thing"] == "leases")
    return leases["grade"], leases["sentence"]


def test_the_doctor_knows_a_lease_table_from_somebody_elses(desk: Desk) -> None:
    assert leases_checked(desk, "new-leases") == (
        "warning",
        "there is no table new-leases yet; a worker makes it at its start",
    )

    grade, sentence = leases_checked(desk, TABLE)

    assert grade == "bad"
    assert sentence.startswith(f"The table {TABLE} is no lease table of KCL: its key is pk and sk")

    LeaseTable(boto3.client("dynamodb"), "orders-leases").make()

    assert leases_checked(desk, "orders-leases")[0] == "good"


def test_without_a_live_worker_status_and_doctor_say_stopped(desk: Desk) -> None:
    change(desk.ledger, lambda pace: steps.configure(pace, "1/s", now=time.time() - 300))
    desk.read(desk.store("a.jsonl", order(1) + b"\n"), enqueued=1)
    alive = claim("a", heartbeat_at=time.time())
    desk.ledger.take_claim(alive, instead_of=None)
    running = desk.type("status", "--json").document("status")

    desk.ledger.renew_claim(replace(alive, heartbeat_at=time.time() - 120))
    stopped = desk.type("status", "--json").document("status")
    findings = desk.type("doctor", "--json").document("findings")["findings"]

    assert (running["sending"]["state"], running["eta_seconds"]) == ("running", 1.0)
    assert (stopped["sending"]["state"], stopped["eta_seconds"]) == ("stopped", None)
    assert "start it again" in stopped["eta_reason"]
    [sending] = [finding for finding in findings if finding["thing"] == "sending"]
    assert sending["grade"] == "bad"
    assert sending["sentence"].startswith("stopped: worker number 1 (process 100 on host-a)")


def test_a_missing_setting_is_named_in_one_sentence(desk: Desk) -> None:
    desk.monkeypatch.delenv("ORDERS_LEDGER_TABLE")

    said = desk.type("status")

    assert said.code == 2
    assert said.err.startswith("orders: ORDERS_LEDGER_TABLE is not set; set it to")


def test_a_table_that_is_not_there_is_a_wrong_setting(desk: Desk) -> None:
    desk.monkeypatch.setenv("ORDERS_LEDGER_TABLE", "another-table")

    assert desk.type("status").code == 2


def test_a_region_must_be_set(desk: Desk) -> None:
    desk.monkeypatch.delenv("AWS_REGION")
    desk.monkeypatch.delenv("AWS_DEFAULT_REGION")

    said = desk.type("status")

    assert said.code == 2
    assert "AWS_REGION is not set" in said.err


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_either_name_of_the_region_is_enough(desk: Desk, name: str) -> None:
    desk.monkeypatch.delenv("AWS_REGION")
    desk.monkeypatch.delenv("AWS_DEFAULT_REGION")
    desk.monkeypatch.setenv(name, "eu-central-1")

    said = desk.type("status")

    assert said.code == 0
    assert "in eu-central-1" in said.err


def test_the_estimate_of_a_file_needs_no_aws_with_a_pace(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\n".join([order(1), b"broken", b"", order(2)]))
    desk.monkeypatch.delenv("ORDERS_LEDGER_TABLE")

    said = desk.type("estimate", str(file), "--rate", "1/s", "--json").document("estimate")

    assert (said["orders"], said["invalid"], said["blank"]) == (2, 1, 1)
    assert said["seconds"] == 2.0


def test_a_file_that_would_be_refused_at_admission_ends_the_estimate_with_four(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\n".join(order(number) for number in range(1, 31)))
    desk.monkeypatch.setenv("ORDERS_RETENTION_HOURS", "24")

    said = desk.type("estimate", str(file), "--rate", "1/h")

    assert said.code == 4
    assert "RetentionHours=48" in said.out


@pytest.mark.parametrize("words", [["--help"], ["upload", "--help"], ["dead-letters", "--help"]])
def test_help_teaches_by_example(desk: Desk, words: list[str]) -> None:
    said = desk.type(*words)

    assert said.code == 0
    assert "orders " in said.out


def test_a_word_too_much_is_a_wrong_use(desk: Desk) -> None:
    assert desk.type("status", "please").code == 2
    assert desk.type("statsu").code == 2


def test_the_source_of_an_upload_is_read_in_its_very_version(desk: Desk) -> None:
    desk.store("a.jsonl", b"old")
    found = desk.storage.find("uploads/a.jsonl")
    assert found is not None
    boto3.client("s3").put_object(Bucket=BUCKET, Key="uploads/a.jsonl", Body=b"new, and longer")

    old = b"".join(desk.storage.opener(found.source)(0))
    rest = b"".join(desk.storage.opener(found.source)(1))
    nothing = list(desk.storage.opener(Source(BUCKET, "uploads/a.jsonl", "v", "e", 0))(0))

    assert (old, rest, nothing) == (b"old", b"ld", [])
