"""A row that this release cannot read is reported by its name."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from consumer.telemetry.ledger_watch import LedgerWatch
from ledger.dynamodb.ledger import DynamoLedger
from ledger.errors import LedgerError, RowUnreadable
from ledger.pace.history import History, Sample
from ledger.pace.pace import Pace
from tests.support.ledger_table import create_ledger_table
from tests.support.stores import UPLOAD, begin, claim, finish, lane_of, letter, orders, told

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Read = Callable[[DynamoLedger], object]

UPLOAD_PK = f"upload#{UPLOAD}"
UPLOAD_ROW = (UPLOAD_PK, "row#upload")


@pytest.fixture
def table(moto_client: "DynamoDBClient") -> Iterator[str]:
    """A table with one row of each kind."""
    name = f"ledger-{uuid4().hex}"
    create_ledger_table(moto_client, name)
    ledger = DynamoLedger(moto_client, name)
    begin(ledger)
    ledger.put_dead_letter(letter(2))
    ledger.take_claim(claim("a"), instead_of=None)
    ledger.swap_pace(Pace(), Pace())
    ledger.swap_history(History(), History((Sample(1.0, 0, 0),)))
    yield name
    moto_client.delete_table(TableName=name)


@pytest.mark.parametrize(
    ("row", "attribute", "read"),
    [
        (UPLOAD_ROW, "state", lambda ledger: ledger.read_account(UPLOAD)),
        (UPLOAD_ROW, "state", lambda ledger: list(ledger.open_accounts())),
        ((UPLOAD_PK, "row#lane#000"), "recent", lane_of),
        (
            (UPLOAD_PK, "dead#000000000002"),
            "refused_at",
            lambda ledger: list(ledger.dead_letters(UPLOAD, limit=9)),
        ),
        (("claims#orders", "0001"), "worker", lambda ledger: list(ledger.all_claims())),
        (("pace", "pace"), "value", lambda ledger: ledger.read_pace()),
        (("history", "history"), "value", lambda ledger: ledger.read_history()),
    ],
)
def test_the_error_names_the_row(
    moto_client: "DynamoDBClient", table: str, row: tuple[str, str], attribute: str, read: Read
) -> None:
    ledger = DynamoLedger(moto_client, table)
    read(ledger)
    write(moto_client, table, row, attribute)

    with pytest.raises(
        RowUnreadable, match=f"{row[0]} / {row[1]} of the ledger cannot be read"
    ) as told_of:
        read(ledger)

    assert "\n" not in str(told_of.value)
    assert told_of.value.hint


def test_an_ended_upload_is_named_by_its_entry_of_the_index(
    moto_client: "DynamoDBClient", table: str
) -> None:
    ledger = DynamoLedger(moto_client, table)
    finish(ledger, 1)
    ledger.settle(lane_of(ledger), told(orders(1, 1), ended=True))
    ledger.close_if_drained(UPLOAD, now=2_000.0)
    write(moto_client, table, UPLOAD_ROW, "ended.#part", part="ended_tally")

    with pytest.raises(RowUnreadable, match=f"{UPLOAD_PK} / row#upload"):
        list(ledger.ended_accounts(since=0.0))


def test_the_status_watcher_reports_the_error_and_continues_once_the_row_is_readable(
    moto_client: "DynamoDBClient", table: str
) -> None:
    ledger = DynamoLedger(moto_client, table)
    watch = LedgerWatch(ledger, retention_seconds=lambda: 9e9)
    write(moto_client, table, UPLOAD_ROW, "#part", part="state")
    with pytest.raises(LedgerError):
        watch.look()

    write(moto_client, table, UPLOAD_ROW, "#part", part="state", value="reading")

    assert len(watch.look().open_accounts) == 1


def write(
    client: "DynamoDBClient",
    table: str,
    row: tuple[str, str],
    path: str,
    *,
    part: str = "",
    value: str = "what a newer release writes",
) -> None:
    """Let an attribute hold a text."""
    names: dict[str, Any] = {"#part": part or path}
    client.update_item(
        TableName=table,
        Key={"pk": {"S": row[0]}, "sk": {"S": row[1]}},
        UpdateExpression=f"SET {path if part else '#part'} = :value",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":value": {"S": value}},
    )
