"""A file goes through the whole chain: S3, the real Lambda, Kinesis, the real KCL, paced PUTs."""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from orders.rate import parse_rate
from orders.upload import UploadId, upload_id
from sandbox.running import running_sandbox
from tests import promises
from tests.support.command_desk import Desk, order_line
from tests.support.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.kcl]

RATE = "5/s"
LINES = 120
INVALID = frozenset(range(15, LINES + 1, 30))  # four lines, spread over the file
VALID = {number: order_line(number) for number in range(1, LINES + 1) if number not in INVALID}
LIMIT_SECONDS = 150.0
LOOK_SECONDS = 0.5
AGREE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, order=True)
class Look:
    """How many orders waited, by the ledger, at a moment."""

    at: float
    waiting: int


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_sandbox(tmp_path_factory.mktemp("chain") / "sandbox", ["--rate", RATE]) as up:
        yield Desk(up)


def content() -> bytes:
    lines = [VALID.get(number, b'{"order_id": "broken"') for number in range(1, LINES + 1)]
    return b"".join(line + b"\n" for line in lines)


def test_a_file_arrives_in_order_at_its_pace_and_adds_up_at_every_look(
    desk: Desk, tmp_path: Path
) -> None:
    upload = desk.upload(tmp_path, "whole.jsonl", content())
    began_at = time.monotonic()

    looks = [Look(began_at, waiting=0)]  # before the upload nothing waited
    backlog: float | None = None
    while True:
        seen = desk.status(upload)
        looks.append(Look(time.monotonic(), seen["waiting"]))
        assert backlog is None or agrees_with_ledger(backlog, looks), (backlog, looks[-5:])
        if seen["state"] not in {"reading", "sending"}:
            break
        assert time.monotonic() - began_at < LIMIT_SECONDS, seen
        backlog = desk.metric("orders_backlog")
        time.sleep(LOOK_SECONDS)  # the looks need the processor, as does the rest

    observed = desk.observed(upload, VALID)
    first, last = observed.requests[0].t, observed.requests[-1].t
    assert seen["state"] == "done_with_problems"
    assert (seen["invalid"], seen["accepted"], seen["refused"]) == (len(INVALID), len(VALID), 0)
    assert len(observed.requests) == len(VALID)
    assert len(desk.polls) >= 10
    promises.nothing_is_lost(observed)
    promises.repeats_are_bounded(observed)
    promises.pace_is_kept(observed, rates=[(0.0, parse_rate(RATE))], busy=[(first, last)])
    promises.order_is_kept(observed)
    promises.outage_costs_time_only(observed, outages=[])


def agrees_with_ledger(backlog: float, looks: list[Look]) -> bool:
    """The metric says what the ledger says now, or said at most AGREE_SECONDS before.

    While the file is read, the most may lie between two looks.
    """
    oldest = looks[-2].at - AGREE_SECONDS  # the metric was read just after the last look but one
    before = max((look for look in looks if look.at < oldest), default=looks[0])
    told = [look.waiting for look in (before, *looks) if look is before or look.at >= oldest]
    is_growing = any(later > earlier for earlier, later in pairwise(told))
    return min(told) - 1 <= backlog <= (len(VALID) if is_growing else max(told) + 1)


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file without any order, and what the status says of it."""

    name: str
    content: bytes
    state: str
    invalid: int = 0
    words: str = ""


BAD_FILES = (
    BadFile("empty.jsonl", b"", "done"),
    BadFile("blank.jsonl", b"\n \n", "done"),
    BadFile("only-bad.jsonl", b"{}\nno\n", "done_with_problems", invalid=2),
    BadFile("no-gzip.jsonl.gz", b"{}\n", "unreadable", words="gzip"),
    BadFile("header.csv", b"order,price\n1,2\n", "unreadable", words="lacks the columns"),
)


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_a_file_that_holds_no_order_ends_in_a_clear_state(desk: Desk, bad: BadFile) -> None:
    # As other tools store it: `orders upload` would refuse some of them.
    stored = desk.store(f"uploads/{bad.name}", bad.content)
    upload = upload_id(stored.bucket, stored.key, stored.version_id)

    seen = desk.until_over(upload)

    assert (seen["state"], seen["invalid"], seen["enqueued"]) == (bad.state, bad.invalid, 0)
    assert bad.words in seen["reason"]
    assert bool(seen["reason"]) == bool(bad.words)


def test_an_event_for_an_object_that_is_gone_ends_as_source_lost(desk: Desk) -> None:
    stored = desk.store("elsewhere/gone.jsonl", order_line(1))
    desk.s3.delete_object(Bucket=stored.bucket, Key=stored.key, VersionId=stored.version_id)

    upload = desk.deliver(stored)

    assert desk.until_over(upload)["state"] == "source_lost"


def test_the_same_event_three_times_sends_each_order_once(desk: Desk) -> None:
    lines = {number: order_line(1_000 + number) for number in range(1, 21)}
    began_at = time.monotonic()
    stored = desk.store("uploads/thrice.jsonl", b"\n".join(lines.values()))

    upload = desk.deliver(stored)
    desk.deliver(stored)
    desk.polls.clear()
    desk.until_over(upload)

    observed = desk.observed(upload, lines, since=began_at)
    assert len(observed.requests) == len(lines)
    promises.nothing_is_lost(observed)
    promises.repeats_are_bounded(observed)
    promises.order_is_kept(observed)


def test_a_refused_order_is_kept_shown_and_sent_again_by_a_redrive(
    desk: Desk, tmp_path: Path
) -> None:
    lines = [order_line(2_000), order_line(2_001), order_line(2_002)]
    desk.api.add_fault(kind="status", status=422, order_id="ORDER-02001", for_requests=1)
    upload = desk.upload(tmp_path, "refused.jsonl", b"\n".join(lines))
    assert desk.until_over(upload)["refused"] == 1

    listed = desk.type("dead-letters", "list", "--upload", upload)
    redriven = desk.type("dead-letters", "redrive", "--upload", upload)
    again = desk.type("dead-letters", "redrive", "--upload", upload)

    assert "422" in listed.out
    assert desk.until_over(UploadId(redriven.out.strip()))["accepted"] == 1
    assert again.out == ""
    statuses = [r.status for r in desk.api.requests() if r.order_id == "ORDER-02001"]
    assert statuses == [422, 200]


def test_a_pause_holds_a_pace_lets_go_and_a_cancel_calls_back(desk: Desk, tmp_path: Path) -> None:
    lines = {number: order_line(3_000 + number) for number in range(1, 101)}
    upload = desk.upload(tmp_path, "steered.jsonl", b"\n".join(lines.values()))
    desk.until_accepted(desk.accepted() + 3)

    assert desk.type("pause", "--reason", "a test").code == 0
    paused_at = time.monotonic() + 1.0  # every process sees it within a second
    status = desk.type("status").out
    time.sleep(2.0)  # nothing must happen in this time
    during = [r for r in desk.api.requests() if r.t > paused_at]
    assert desk.type("resume").code == 0
    desk.until_accepted(desk.accepted() + 3)
    assert desk.type("cancel", upload, "--reason", "a test").code == 0
    ended = desk.until_over(upload)

    assert "a test" in status
    assert during == []
    assert ended["state"] == "cancelled"
    assert ended["cancelled"] + ended["accepted"] == len(lines)


def test_who_stops_watching_leaves_the_upload_going(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "watched.jsonl"
    file.write_bytes(b"\n".join(order_line(4_000 + number) for number in range(15)))
    assert desk.type("pace", "2/s").code == 0  # it is not done before anybody can look
    with desk.started("upload", str(file), "--wait") as watching:
        answers, tale = watching.stdout, watching.stderr
        assert answers is not None
        assert tale is not None
        upload = UploadId(answers.readline().split()[1])
        eventually(lambda: "sending" in tale.readline(), "the sending", seconds=90)
        watching.send_signal(signal.SIGINT)
        said = tale.read()

    assert desk.type("pace", "default").code == 0
    assert watching.returncode == 130
    assert "the upload continues" in said
    assert desk.until_over(upload)["state"] == "done"
