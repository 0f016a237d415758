import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import orders_cli
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.limits import Limits
from ledger.pace.pace import Override, Pace
from ledger.pace.turns import own, reserve
from ledger.uploads.dead_letter import DeadLetter
from orders.outcome import Outcome
from orders_cli.checks import CheckResult, Grade
from orders_cli.file_estimate import FileContents, estimate_file
from orders_cli.intake_dead_letters import IntakeDeadLetter
from orders_cli.json_documents import (
    dead_letter_fields,
    doctor_document,
    document,
    estimate_document,
    pace_document,
    status_document,
    whole_upload_fields,
)
from orders_cli.overview import read_overview
from orders_cli.redriver import Redriven
from sandbox.judge.observations import numbers_of_status
from tests.support.stores import claim
from tests.unit.orders_cli.ledgers import FIRST, NOW, SECOND, Book

SCHEMAS = Path(orders_cli.__file__).parent / "schemas"
LETTER = DeadLetter(
    upload=FIRST,
    position="000000000007",
    lane=0,
    line=7,
    order_id="A-7",
    body=b'{"order_id":"A-7"}',
    status=422,
    reason="the API answered 422",
    answer="no such sku",
    attempts=1,
    first_attempt_at=NOW,
    refused_at=NOW,
)


def follows(document: Mapping[str, Any], name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(document)), schema)
    assert set(document) == set(schema["properties"])


def status(book: Book, *letters: IntakeDeadLetter, now: float = NOW + 100) -> dict[str, Any]:
    return status_document(read_overview(book.ledger, retention_hours=24, now=now), letters)


@pytest.fixture
def book() -> Book:
    """One upload of 10 orders, 6 of them settled, and one that is done."""
    made = Book()
    made.announce(SECOND, at=NOW - 1_000)
    made.read(SECOND, enqueued=2)
    made.settle(SECOND, first=1, count=2, outcome=Outcome.ACCEPTED)
    made.end(SECOND)
    made.announce()
    made.read(enqueued=10, invalid=1)
    made.settle(first=2, count=5, outcome=Outcome.ACCEPTED)
    made.settle(first=7, count=1, outcome=Outcome.REFUSED)
    return made


def test_the_status_lists_open_and_ended_uploads_newest_first(book: Book) -> None:
    document = status(book)

    follows(document, "status")
    assert [upload["upload"] for upload in document["uploads"]] == [FIRST, SECOND]
    assert [upload["state"] for upload in document["uploads"]] == ["sending", "done"]
    assert document["waiting"] == 4


def test_the_numbers_of_each_upload_add_up(book: Book) -> None:
    assert all(numbers_of_status(upload).adds_up for upload in status(book)["uploads"])


def test_settled_orders_that_the_reading_has_not_counted_yet_count_as_enqueued() -> None:
    book = Book()
    book.announce()
    book.ledger.start_run(FIRST, token="run", lanes=1, now=NOW)
    book.settle(first=1, count=3, outcome=Outcome.ACCEPTED)

    [upload] = status(book)["uploads"]

    assert (upload["enqueued"], upload["waiting"], upload["lines_read"]) == (3, 0, 3)


def test_an_upload_that_ended_a_month_ago_is_not_listed(book: Book) -> None:
    document = status(book, now=NOW + 40 * 86_400)

    assert [upload["upload"] for upload in document["uploads"]] == [FIRST]


def test_without_a_pace_sending_is_blocked_and_the_finish_date_is_unknown(book: Book) -> None:
    document = status(book)

    assert document["pace"]["source"] == "unset"
    assert document["sending"]["state"] == "blocked"
    assert document["eta_seconds"] is None
    assert "orders pace" in document["eta_reason"]


def test_with_a_pace_the_rest_has_an_end(book: Book) -> None:
    override = Override("2/s", "me", "test", None)
    change(book.ledger, lambda pace: steps.override(pace, override, now=NOW))

    document = status(book)

    follows(document, "status")
    assert document["pace"]["target_per_second"] == 2.0
    assert document["pace"]["source"] == "override"
    assert document["eta_seconds"] == 2.0
    assert document["eta_reason"] is None
    assert document["runway_seconds"] == 86_400 - 100
    assert (document["eta_basis"], document["eta_per_second"]) == ("target", 2.0)
    assert document["pace"]["override"] == {
        "rate": "2/s",
        "by": "me",
        "reason": "test",
        "until": None,
    }
    assert document["sending"] == {"state": "running", "reason": "", "since": None, "until": None}


def test_quotas_and_hours_stand_beside_the_pace_with_what_is_used(book: Book) -> None:
    limits = Limits("2/d,60/m", "Mon-Fri 00:00-24:00, Sat,Sun 00:00-24:00", "Europe/Berlin")

    def with_two_turns(pace: Pace) -> Pace:
        pace = steps.configure_limits(steps.configure(pace, "1/s", now=NOW), limits, now=NOW)
        pace = own(pace, "shardId-0", "host-1", now=NOW)
        for second in range(2):
            pace, _ = reserve(pace, shard="shardId-0", token="host-1", wanted=1, now=NOW + second)
        return pace

    change(book.ledger, with_two_turns)
    overview = read_overview(book.ledger, retention_hours=24, now=NOW + 10)

    document = pace_document(overview.report)

    follows(document, "pace")
    follows(status(book), "status")
    assert document["pace"]["quotas"] == [
        {"quota": "2/d", "limit": 2, "used": 2},
        {"quota": "60/m", "limit": 60, "used": 2},
    ]
    assert document["pace"]["hours"] == limits.hours
    assert document["pace"]["time_zone"] == "Europe/Berlin"
    assert document["sending"]["state"] == "held"
    assert "the quota of 2/d is used up" in document["sending"]["reason"]
    assert document["sending"]["until"] > NOW


def test_without_quotas_and_hours_their_fields_are_empty(book: Book) -> None:
    pace = status(book)["pace"]

    assert (pace["quotas"], pace["hours"], pace["time_zone"]) == ([], None, None)


def test_orders_being_cancelled_are_counted_apart_from_waiting_ones(book: Book) -> None:
    book.ledger.cancel(FIRST, reason="wrong prices", now=NOW)

    document = status(book)

    follows(document, "status")
    assert (document["waiting"], document["cancelling"]) == (0, 4)
    assert [upload["is_cancelling"] for upload in document["uploads"]] == [True, False]
    assert document["uploads"][0]["state"] == "cancelled"
    assert document["uploads"][0]["waiting"] == 4
    assert document["eta_seconds"] == 0


def test_without_a_worker_the_document_says_stopped_since_when(book: Book) -> None:
    dead = claim("a", heartbeat_at=NOW + 10)
    seen = read_overview(book.ledger, retention_hours=24, now=NOW + 100, claims=(dead,))

    document = status_document(seen, [])

    follows(document, "status")
    assert document["sending"]["state"] == "stopped"
    assert document["sending"]["since"] == NOW + 10
    assert document["eta_seconds"] is None
    assert "start it again" in document["eta_reason"]


def test_an_event_among_the_intake_s_dead_letters_shows_with_its_upload() -> None:
    book = Book()
    book.announce()
    lost = IntakeDeadLetter(None, "", "the event is no JSON")

    document = status(book, IntakeDeadLetter(FIRST, "uploads/aaaa.jsonl", "it failed"), lost)

    follows(document, "status")
    assert document["uploads"][0]["reason"] == "it failed"
    assert document["intake_dead_letters"][1]["upload"] is None


def test_every_other_answer_follows_its_schema(book: Book) -> None:
    accounts = read_overview(book.ledger, retention_hours=24, now=NOW).accounts
    found = estimate_file(FileContents(5, 1, 0, 900), rate=None, report=None, retention_hours=24)

    follows(document(**whole_upload_fields(accounts[0])), "upload")
    follows(document(uploads=[whole_upload_fields(one) for one in accounts]), "uploads")
    follows(document(dead_letters=[dead_letter_fields(LETTER)]), "dead-letters")
    follows(document(**dead_letter_fields(LETTER)), "dead-letter")
    redriven = asdict(Redriven(FIRST, SECOND, "uploads/x.jsonl", 3))
    follows(document(redriven=[redriven]), "redriven")
    follows(estimate_document(found), "estimate")
    follows(document(variables={"ORDERS_BUCKET": "b"}), "env")
    follows(doctor_document([CheckResult("ledger", Grade.GOOD, "there")]), "findings")


def test_each_schema_says_that_it_is_the_first() -> None:
    schemas = [json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")]

    assert len(schemas) == 11
    assert all(schema["properties"]["schema"] == {"const": 1} for schema in schemas)
