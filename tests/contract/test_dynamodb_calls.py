"""Reading the ledger takes few calls, however many uploads there are."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from ledger.dynamodb.ledger import DynamoLedger
from ledger.dynamodb.table import BATCH_ITEMS
from ledger.errors import LedgerUnreachable
from ledger.uploads.lane import Tally
from ledger.uploads.upload import UploadState
from orders.outcome import Outcome
from orders.upload import UploadId
from tests.support.ledger_table import create_ledger_table
from tests.support.stores import SOURCE, begin, finish, lane_of, letter, orders, told

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def table(moto_client: "DynamoDBClient") -> Iterator[str]:
    name = f"ledger-{uuid4().hex}"
    create_ledger_table(moto_client, name)
    yield name
    moto_client.delete_table(TableName=name)  # moto copies every table at each transaction


@pytest.fixture
def ledger(moto_client: "DynamoDBClient", table: str) -> DynamoLedger:
    return DynamoLedger(moto_client, table)


@pytest.fixture
def counted(moto_client: "DynamoDBClient") -> Iterator[Counter[str]]:
    """The calls of DynamoDB by name, from the moment when a test clears it."""
    calls: Counter[str] = Counter()

    def count(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        calls[model.name] += 1

    moto_client.meta.events.register("before-call.dynamodb", count)
    yield calls
    moto_client.meta.events.unregister("before-call.dynamodb", count)


def upload_of(number: int) -> UploadId:
    return UploadId(f"{number:020x}")


def end_with_orders(ledger: DynamoLedger, number: int) -> None:
    upload = upload_of(number)
    begin(ledger, upload)
    finish(ledger, 2, upload=upload)
    ledger.settle(lane_of(ledger, upload), told(orders(1, 2, Outcome.REFUSED), ended=True))
    ledger.close_if_drained(upload, now=2_000.0 + number)


def end_empty(ledger: DynamoLedger, number: int) -> None:
    begin(ledger, upload_of(number))
    finish(ledger, 0, upload=upload_of(number), state=UploadState.DONE, now=2_000.0 + number)


def cancel_unread(ledger: DynamoLedger, number: int) -> None:
    ledger.announce(upload_of(number), SOURCE, now=1_000.0)
    ledger.cancel(upload_of(number), reason="wrong file", now=2_000.0 + number)


@pytest.mark.parametrize("end", [end_with_orders, end_empty, cancel_unread])
def test_a_list_of_ended_uploads_is_one_query_of_the_index(
    ledger: DynamoLedger, counted: Counter[str], end: Callable[[DynamoLedger, int], None]
) -> None:
    for number in range(12):
        end(ledger, number)
    counted.clear()

    listed = list(ledger.ended_accounts(since=0.0))

    assert counted == {"Query": 1}
    assert [account.upload.id for account in listed] == [upload_of(n) for n in reversed(range(12))]


def test_the_list_shows_of_an_ended_upload_what_its_rows_hold(ledger: DynamoLedger) -> None:
    end_with_orders(ledger, 1)
    ledger.link(upload_of(1), upload_of(2))
    ledger.start_run(upload_of(1), token="run-again", lanes=1, now=3_000.0)

    (listed,) = ledger.ended_accounts(since=0.0)

    account = ledger.read_account(upload_of(1))
    assert account is not None
    assert listed.upload == account.upload
    assert listed.tally == account.tally == Tally(refused=2)
    assert (listed.enqueued, listed.waiting, listed.lines_read) == (2, 0, 2)


def test_open_uploads_are_read_together_not_one_by_one(
    ledger: DynamoLedger, counted: Counter[str]
) -> None:
    lanes, uploads = 3, 40
    for number in range(uploads):
        begin(ledger, upload_of(number), lanes=lanes)
        ledger.settle(lane_of(ledger, upload_of(number), lane=2), told(orders(1, 1)))
    counted.clear()

    listed = list(ledger.open_accounts())

    rows = uploads * (1 + lanes)
    assert counted["Query"] == 1
    assert counted["BatchGetItem"] <= 2 * rows / BATCH_ITEMS + 1
    assert counted.total() < uploads / 4
    assert {account.upload.id for account in listed} == {upload_of(n) for n in range(uploads)}
    assert {account.tally for account in listed} == {Tally(accepted=1)}
    assert {len(account.lanes) for account in listed} == {lanes}


def test_dead_letters_of_all_uploads_are_read_together_newest_first(
    ledger: DynamoLedger, counted: Counter[str]
) -> None:
    letters = [letter(line, refused_at=2_000.0 + line) for line in range(1, 251)]
    for kept in letters:
        ledger.put_dead_letter(kept)
    counted.clear()

    listed = list(ledger.dead_letters(limit=240))

    assert listed == letters[:-241:-1]
    assert counted["Query"] == 1
    assert counted["BatchGetItem"] <= 240 / BATCH_ITEMS + 1
    assert counted.total() == counted["Query"] + counted["BatchGetItem"]


def test_an_upload_whose_first_run_the_index_has_not_seen_is_read_by_itself(
    moto_client: "DynamoDBClient", ledger: DynamoLedger
) -> None:
    begin(ledger, upload_of(1), lanes=2)

    with without_projection(moto_client, "lanes"):
        (listed,) = ledger.open_accounts()

    assert listed == ledger.read_account(upload_of(1))


def test_an_ended_upload_without_its_copy_in_the_index_is_read_from_its_lanes(
    moto_client: "DynamoDBClient", table: str, ledger: DynamoLedger
) -> None:
    end_with_orders(ledger, 1)
    row = {"pk": {"S": f"upload#{upload_of(1)}"}, "sk": {"S": "row#upload"}}
    moto_client.update_item(TableName=table, Key=row, UpdateExpression="REMOVE ended, lanes")

    (listed,) = ledger.ended_accounts(since=0.0)

    assert listed.upload.state is UploadState.DONE_WITH_PROBLEMS


@pytest.mark.parametrize("missing", [("ended",), ("ended", "lanes", "linked")])
def test_ended_uploads_without_a_copy_in_the_index_are_read_together_in_their_order(
    moto_client: "DynamoDBClient",
    ledger: DynamoLedger,
    counted: Counter[str],
    missing: tuple[str, ...],
) -> None:
    for number in range(12):
        end_with_orders(ledger, number)
    counted.clear()

    with without_projection(moto_client, *missing):
        listed = list(ledger.ended_accounts(since=0.0))

    assert [account.upload.id for account in listed] == [upload_of(n) for n in reversed(range(12))]
    assert {account.tally for account in listed} == {Tally(refused=2)}
    assert counted == {"Query": 1, "BatchGetItem": 1}


def test_rows_of_ended_uploads_without_a_copy_are_read_together_among_others_in_order(
    moto_client: "DynamoDBClient", table: str, ledger: DynamoLedger, counted: Counter[str]
) -> None:
    for number in range(12):
        end_with_orders(ledger, number)
    for number in range(0, 12, 2):
        row = {"pk": {"S": f"upload#{upload_of(number)}"}, "sk": {"S": "row#upload"}}
        moto_client.update_item(TableName=table, Key=row, UpdateExpression="REMOVE ended")
    counted.clear()

    listed = list(ledger.ended_accounts(since=0.0))

    assert [account.upload.id for account in listed] == [upload_of(n) for n in reversed(range(12))]
    assert {account.tally for account in listed} == {Tally(refused=2)}
    assert counted == {"Query": 1, "BatchGetItem": 1}


def test_an_index_that_has_only_keys_still_lists_everything(
    moto_client: "DynamoDBClient", ledger: DynamoLedger
) -> None:
    end_with_orders(ledger, 1)
    begin(ledger, upload_of(2), lanes=2)

    with without_projection(moto_client, "ended", "lanes", "linked"):
        (ended,) = ledger.ended_accounts(since=0.0)
        (still_open,) = ledger.open_accounts()

    read = ledger.read_account(upload_of(1))
    assert read
    assert (ended.upload, ended.tally) == (read.upload, read.tally)
    assert still_open == ledger.read_account(upload_of(2))


@contextmanager
def without_projection(client: "DynamoDBClient", *names: str) -> Iterator[None]:
    """Let the index answer without these attributes, as one does that is older."""

    def leave_out(parsed: dict[str, Any], **_: object) -> None:
        for item in parsed.get("Items", []):
            if "sk" in item and "state" not in item and "revision" not in item:
                for name in names:
                    item.pop(name, None)

    client.meta.events.register("after-call.dynamodb.Query", leave_out)
    try:
        yield
    finally:
        client.meta.events.unregister("after-call.dynamodb.Query", leave_out)


def test_what_a_batch_leaves_out_is_asked_for_again(
    moto_client: "DynamoDBClient", ledger: DynamoLedger
) -> None:
    for number in range(8):
        begin(ledger, upload_of(number))

    with batches_of(moto_client, 5):
        listed = list(ledger.open_accounts())

    assert [account.upload.id for account in listed] == [upload_of(n) for n in reversed(range(8))]


def test_batches_that_are_never_answered_end_as_a_ledger_out_of_reach(
    moto_client: "DynamoDBClient", ledger: DynamoLedger
) -> None:
    begin(ledger, upload_of(1))

    with batches_of(moto_client, 0), pytest.raises(LedgerUnreachable) as given_up:
        list(ledger.open_accounts())

    assert "takes no more" in given_up.value.hint


@contextmanager
def batches_of(client: "DynamoDBClient", most: int) -> Iterator[None]:
    """Let each BatchGetItem answer so many keys and hand the others back, as DynamoDB may."""

    def hand_back(parsed: dict[str, Any], **_: object) -> None:
        for table, items in parsed["Responses"].items():
            left = [{"pk": item["pk"], "sk": item["sk"]} for item in items[most:]]
            parsed["Responses"][table] = items[:most]
            if left:
                parsed["UnprocessedKeys"] = {table: {"Keys": left, "ConsistentRead": True}}

    client.meta.events.register("after-call.dynamodb.BatchGetItem", hand_back)
    try:
        yield
    finally:
        client.meta.events.unregister("after-call.dynamodb.BatchGetItem", hand_back)
