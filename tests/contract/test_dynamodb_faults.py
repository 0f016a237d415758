"""The ledger in DynamoDB keeps its promises when answers are lost and others interfere."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from socket import socket
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from ledger.dynamodb.connect import open_ledger
from ledger.dynamodb.ledger import DynamoLedger
from ledger.dynamodb.table import BATCH_TRIES
from ledger.errors import LedgerRefused, LedgerUnreachable
from ledger.pace.pace import Pace
from ledger.uploads.dead_letter import Closure
from ledger.uploads.lane import Tally
from ledger.uploads.upload import UploadState
from orders.outcome import Outcome
from tests.contract.faulty_client import (
    Call,
    Fault,
    LostAnswers,
    Meanwhile,
    refused_with,
    with_fault,
)
from tests.support.ledger_table import create_ledger_table
from tests.support.stores import (
    OTHER_UPLOAD,
    SOURCE,
    UPLOAD,
    begin,
    claim,
    finish,
    lane_of,
    letter,
    orders,
    told,
)

if TYPE_CHECKING:
    from botocore.exceptions import _ClientErrorResponseTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_SECONDS = 86_400


@pytest.fixture
def table(moto_client: "DynamoDBClient") -> str:
    name = f"ledger-{uuid4().hex}"
    create_ledger_table(moto_client, name)
    return name


@pytest.fixture
def sound(moto_client: "DynamoDBClient", table: str) -> DynamoLedger:
    """The ledger without faults."""
    return DynamoLedger(moto_client, table)


@pytest.fixture
def faulty(moto_client: "DynamoDBClient", table: str) -> Callable[[Fault], DynamoLedger]:
    """The same ledger, seen through a faulty client."""
    return lambda fault: DynamoLedger(with_fault(moto_client, fault), table)


Faulty = Callable[[Fault], DynamoLedger]


def test_a_settle_whose_answer_is_lost_is_counted_once_when_it_is_sent_again(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    view = lane_of(sound)
    ledger = faulty(LostAnswers())

    with pytest.raises(LedgerUnreachable):
        ledger.settle(view, told(orders(1, 3)))
    lane = ledger.settle(view, told(orders(1, 4)))

    assert (lane.mark, lane.tally) == (4, Tally(accepted=4))
    assert lane_of(sound) == lane


def test_a_settle_that_another_one_always_overtakes_gives_up_and_says_so(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    view = lane_of(sound)
    ledger = faulty(Meanwhile(lambda: sound.settle(lane_of(sound), told()), times=10_000))

    with pytest.raises(LedgerUnreachable) as lost:
        ledger.settle(view, told(orders(1, 1)))

    assert "races" in str(lost.value)
    assert lane_of(sound).tally == Tally()


def test_a_settle_that_another_one_overtakes_twice_continues_from_there(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    view = lane_of(sound)
    numbers = iter(range(2, 9))

    def overtake() -> None:
        line = next(numbers)
        sound.settle(lane_of(sound), told(orders(line, line, Outcome.REFUSED)))

    lane = faulty(Meanwhile(overtake, times=2)).settle(view, told(orders(1, 3)))

    assert (lane.mark, lane.tally) == (3, Tally(accepted=1, refused=2))


def test_a_change_of_the_pace_whose_answer_is_lost_shows_at_the_next_read(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    ledger = faulty(LostAnswers())

    with pytest.raises(LedgerUnreachable):
        ledger.swap_pace(Pace(), Pace(configured="1/s"))

    assert ledger.read_pace() == sound.read_pace() == Pace(configured="1/s", revision=1)


def test_a_cancel_in_the_middle_of_the_end_of_the_reading_stands(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    ledger = faulty(Meanwhile(lambda: sound.cancel(UPLOAD, reason="wrong file", now=1_050.0)))

    assert finish(ledger, 3)

    account = sound.read_account(UPLOAD)
    assert account is not None
    assert (account.upload.state, account.upload.reason) == (UploadState.CANCELLED, "wrong file")
    assert (account.upload.read_complete, account.waiting) == (True, 3)


def test_a_fingerprint_expires_long_after_its_upload(
    moto_client: "DynamoDBClient", table: str, sound: DynamoLedger
) -> None:
    sound.claim_fingerprint("e-1", UPLOAD, now=1_000.0)

    (row,) = moto_client.scan(TableName=table)["Items"]

    assert row["expires_at"] == {"N": str(1_000 + 400 * DAY_SECONDS)}
    assert "listing" not in row


def test_a_letter_that_is_closed_in_the_middle_of_an_upload_s_end_is_counted_in_lists(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    sound.put_dead_letter(letter(1))
    sound.settle(lane_of(sound), told(orders(1, 1, Outcome.REFUSED), ended=True))
    closure = Closure(3_000.0, "ann", "")
    meanwhile = Meanwhile(lambda: sound.close_letters([letter(1)], closure), skip=1)

    assert finish(faulty(meanwhile), 1)

    (ended,) = sound.ended_accounts(since=0.0)
    assert not meanwhile.times
    assert (ended.tally.refused, ended.open_letters) == (1, 0)


def test_an_upload_that_ends_while_its_letter_is_closed_counts_it_in_lists(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    sound.put_dead_letter(letter(1))
    sound.settle(lane_of(sound), told(orders(1, 1, Outcome.REFUSED), ended=True))
    ledger = faulty(Meanwhile(lambda: finish(sound, 1)))

    assert ledger.close_letters([letter(1)], Closure(3_000.0, "ann", "")) == 1

    (ended,) = sound.ended_accounts(since=0.0)
    assert (ended.upload.letters_closed, ended.open_letters) == (1, 0)


@pytest.mark.parametrize("conflicts", [1, BATCH_TRIES - 1, BATCH_TRIES])
def test_a_write_waits_for_a_transaction_that_changes_the_same_row(
    moto_client: "DynamoDBClient", sound: DynamoLedger, faulty: Faulty, conflicts: int
) -> None:
    begin(sound)
    left = [conflicts]

    def conflict(name: str, call: Call, request: dict[str, Any]) -> Any:  # noqa: ANN401
        if left[0]:
            left[0] -= 1
            told: _ClientErrorResponseTypeDef = {
                "Error": {"Code": "TransactionConflictException", "Message": "busy"}
            }
            raise moto_client.exceptions.TransactionConflictException(told, name)
        return call(**request)

    ledger = faulty(conflict)
    if conflicts == BATCH_TRIES:
        with pytest.raises(LedgerUnreachable):
            ledger.link(UPLOAD, OTHER_UPLOAD)
    else:
        ledger.link(UPLOAD, OTHER_UPLOAD)

    account = sound.read_account(UPLOAD)
    assert account is not None
    assert (account.upload.linked == OTHER_UPLOAD) == (conflicts < BATCH_TRIES)


def test_a_run_that_takes_over_in_the_middle_of_the_end_of_the_reading_continues(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    take_over = Meanwhile(lambda: sound.start_run(UPLOAD, token="run-2", lanes=1, now=1_050.0))

    assert not finish(faulty(take_over), 3)

    account = sound.read_account(UPLOAD)
    assert account is not None
    assert not account.upload.read_complete


def test_a_first_run_in_the_middle_of_a_cancel_keeps_the_upload_listed(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    sound.announce(UPLOAD, SOURCE, now=1_000.0)
    ledger = faulty(Meanwhile(lambda: begin(sound)))

    account = ledger.cancel(UPLOAD, reason="wrong file", now=1_050.0)

    assert account.upload.state is UploadState.CANCELLED
    assert (account.upload.listed_open, account.upload.lanes) == (True, 1)


def test_a_cancel_in_the_middle_of_a_first_run_ends_it(sound: DynamoLedger, faulty: Faulty) -> None:
    sound.announce(UPLOAD, SOURCE, now=1_000.0)
    # The lane's row is written first, then the run's token.
    cancel = Meanwhile(lambda: sound.cancel(UPLOAD, reason="wrong file", now=1_050.0), skip=1)

    row = faulty(cancel).start_run(UPLOAD, token="run-1", lanes=1, now=1_051.0)

    assert (row.state, row.read_complete, row.listed_open) == (UploadState.CANCELLED, True, False)


def test_a_cancel_in_the_middle_of_a_close_stands_and_the_orders_are_counted_once(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    finish(sound, 2)
    sound.settle(lane_of(sound), told(orders(1, 2), ended=True))
    cancel = Meanwhile(lambda: sound.cancel(UPLOAD, reason="wrong file", now=1_050.0))

    account = faulty(cancel).close_if_drained(UPLOAD, now=1_060.0)

    # The cancel found everything settled and closed the upload itself.
    assert (account.upload.state, account.upload.ended_at) == (UploadState.CANCELLED, 1_050.0)
    assert sound.ended_tally() == Tally(accepted=2)


def test_a_close_in_the_middle_of_a_cancel_ends_the_upload_as_cancelled(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    finish(sound, 2)
    sound.settle(lane_of(sound), told(orders(1, 2), ended=True))

    def cancel_and_die() -> None:
        with pytest.raises(LedgerUnreachable):
            faulty(LostAnswers()).cancel(UPLOAD, reason="wrong file", now=1_050.0)

    account = faulty(Meanwhile(cancel_and_die)).close_if_drained(UPLOAD, now=1_060.0)

    assert (account.upload.state, account.upload.ended_at) == (UploadState.CANCELLED, 1_060.0)
    assert sound.ended_tally() == Tally(accepted=2)


def test_a_slow_first_run_does_not_write_over_what_a_faster_one_settled(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    sound.announce(UPLOAD, SOURCE, now=1_000.0)

    def run_and_settle() -> None:
        begin(sound)
        sound.settle(lane_of(sound), told(orders(1, 3)))

    row = faulty(Meanwhile(run_and_settle)).start_run(UPLOAD, token="slow", lanes=1, now=1_009.0)

    assert row.run_token == "slow"
    assert lane_of(sound).tally == Tally(accepted=3)


def test_a_close_whose_answer_is_lost_counts_the_orders_once(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    finish(sound, 2)
    sound.settle(lane_of(sound), told(orders(1, 2), ended=True))
    ledger = faulty(LostAnswers())

    with pytest.raises(LedgerUnreachable):
        ledger.close_if_drained(UPLOAD, now=1_100.0)
    account = ledger.close_if_drained(UPLOAD, now=1_200.0)

    assert (account.upload.state, account.upload.ended_at) == (UploadState.DONE, 1_100.0)
    assert sound.ended_tally() == Tally(accepted=2)


def test_a_crash_between_the_lanes_and_the_token_leaves_nothing_to_repair(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    sound.announce(UPLOAD, SOURCE, now=1_000.0)
    with pytest.raises(LedgerUnreachable):
        faulty(LostAnswers(skip=2)).start_run(UPLOAD, token="run-1", lanes=3, now=1_001.0)

    row = sound.start_run(UPLOAD, token="run-2", lanes=2, now=1_002.0)

    account = sound.read_account(UPLOAD)
    assert account is not None
    assert (row.lanes, len(account.lanes)) == (2, 2)


def test_the_next_run_closes_what_a_killed_one_left_drained_and_open(
    sound: DynamoLedger, faulty: Faulty
) -> None:
    begin(sound)
    sound.settle(lane_of(sound), told(orders(1, 2), ended=True))
    with pytest.raises(LedgerUnreachable):
        finish(faulty(LostAnswers()), 2)
    left = sound.read_account(UPLOAD)

    row = sound.start_run(UPLOAD, token="run-2", lanes=1, now=1_100.0)

    assert left is not None
    assert (left.upload.read_complete, left.upload.listed_open) == (True, True)
    assert (row.state, row.listed_open, row.ended_at) == (UploadState.DONE, False, 1_100.0)


def test_a_claim_whose_answer_is_lost_is_held(sound: DynamoLedger, faulty: Faulty) -> None:
    ledger = faulty(LostAnswers())

    with pytest.raises(LedgerUnreachable):
        ledger.take_claim(claim("a"), instead_of=None)

    assert ledger.take_claim(claim("a"), instead_of=None)
    assert not sound.take_claim(claim("b"), instead_of=None)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("ResourceNotFoundException", "deploy infra/pipeline.yaml"),
        ("AccessDeniedException", "policy"),
        ("ExpiredTokenException", "credentials"),
        ("ThrottlingException", "takes no more"),
        ("ValidationException", "infra/pipeline.yaml"),
        ("InternalServerError", "try again"),
    ],
)
def test_a_refused_call_names_the_table_and_what_to_do(
    faulty: Faulty, table: str, code: str, hint: str
) -> None:
    with pytest.raises(LedgerUnreachable) as refused:
        faulty(refused_with(code)).put_dead_letter(letter(1))

    assert table in str(refused.value)
    assert "https://dynamodb.eu-central-1.amazonaws.com" in str(refused.value)
    assert hint in refused.value.hint


def test_a_table_that_is_not_there_says_so(moto_client: "DynamoDBClient") -> None:
    ledger = DynamoLedger(moto_client, "no-such-table")

    for call in (
        ledger.read_pace,
        lambda: list(ledger.open_accounts()),
        lambda: ledger.announce(UPLOAD, SOURCE, now=1.0),
    ):
        with pytest.raises(LedgerUnreachable) as missing:
            call()
        assert "no-such-table" in str(missing.value)
        assert "deploy infra/pipeline.yaml" in missing.value.hint


def test_an_endpoint_that_nobody_listens_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        ledger = open_ledger("orders-ledger", attempts=1)

        with pytest.raises(LedgerUnreachable) as unreachable:
            ledger.read_pace()

    assert endpoint in str(unreachable.value)
    assert "orders-ledger" in str(unreachable.value)
    assert "AWS_ENDPOINT_URL" in unreachable.value.hint


def test_an_endpoint_that_is_no_url_is_named_when_the_ledger_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")

    with pytest.raises(LedgerUnreachable) as unusable:
        open_ledger("orders-ledger")

    assert "nonsense" in str(unusable.value)
    assert "AWS_ENDPOINT_URL" in unusable.value.hint


def test_a_missing_region_is_named_when_the_ledger_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(LedgerUnreachable) as unusable:
        open_ledger("orders-ledger")

    assert "AWS_DEFAULT_REGION" in unusable.value.hint


def test_without_credentials_the_hint_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    ledger = open_ledger("orders-ledger", attempts=1)

    with pytest.raises(LedgerUnreachable) as refused:
        ledger.read_pace()

    assert "credentials" in refused.value.hint


@pytest.mark.usefixtures("moto_client")
def test_a_throttled_call_is_sent_again_by_itself(table: str) -> None:
    ledger = open_ledger(table)
    throttled: list[str] = []

    def throttle(request: AWSPreparedRequest, **_: object) -> Any:  # noqa: ANN401 - botocore's
        if throttled:
            return None
        throttled.append(request.url)
        body = b'{"__type":"com.amazonaws.dynamodb#ThrottlingException","message":"slow down"}'
        return AWSResponse(request.url, 400, HTTPHeaders(), _Raw(body))

    events = ledger._table._client.meta.events
    events.register_first("before-send.dynamodb.PutItem", throttle)

    assert ledger.swap_pace(Pace(), Pace(configured="1/s"))
    assert throttled


class _Raw:
    """An HTTP answer's body, as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def test_only_the_rows_of_an_upload_that_is_over_expire(
    moto_client: "DynamoDBClient", table: str, sound: DynamoLedger
) -> None:
    def expiries() -> dict[str, int | None]:
        items = moto_client.scan(TableName=table)["Items"]
        return {
            item["sk"]["S"]: int(item["expires_at"]["N"]) if "expires_at" in item else None
            for item in items
        }

    begin(sound)
    finish(sound, 1)
    lane = sound.settle(lane_of(sound), told(orders(1, 1, Outcome.REFUSED), ended=True))
    sound.put_dead_letter(letter(1))
    sound.swap_pace(Pace(), Pace())
    while_open = expiries()
    sound.close_if_drained(UPLOAD, now=1_000_000.5)
    sound.settle(lane, told(orders(1, 1)))

    assert set(while_open.values()) == {None}
    expires_at = 1_000_000 + 400 * DAY_SECONDS
    assert {sk: at for sk, at in expiries().items() if at} == {
        "row#upload": expires_at,
        "row#lane#000": expires_at,
    }


@pytest.mark.parametrize("state", [UploadState.DONE, UploadState.REFUSED_ADMISSION])
def test_the_lanes_of_an_upload_that_ends_with_its_reading_expire_with_it(
    moto_client: "DynamoDBClient", table: str, sound: DynamoLedger, state: UploadState
) -> None:
    begin(sound, lanes=3)
    finish(sound, 0, state=state, now=1_000_000.5)

    items = moto_client.scan(TableName=table)["Items"]

    expires_at = str(1_000_000 + 400 * DAY_SECONDS)
    assert [item["expires_at"]["N"] for item in items] == [expires_at] * 4


@pytest.mark.parametrize("skip", [0, 1])
def test_lanes_that_a_crash_kept_from_expiring_do_so_once_the_upload_is_closed_again(
    moto_client: "DynamoDBClient", table: str, sound: DynamoLedger, faulty: Faulty, skip: int
) -> None:
    begin(sound, lanes=2)
    finish(sound, 0)
    for lane in (0, 1):
        sound.settle(lane_of(sound, lane=lane), told(ended=True))
    with pytest.raises(LedgerUnreachable):
        faulty(LostAnswers(skip=skip)).close_if_drained(UPLOAD, now=1_000_000.5)

    sound.close_if_drained(UPLOAD, now=2_000_000.0)

    items = moto_client.scan(TableName=table)["Items"]
    rows = [item for item in items if item["sk"]["S"].startswith("row#")]
    assert {item["expires_at"]["N"] for item in rows} == {str(1_000_000 + 400 * DAY_SECONDS)}


def test_a_closed_upload_leaves_the_index_of_open_ones(
    moto_client: "DynamoDBClient", table: str, sound: DynamoLedger
) -> None:
    begin(sound)
    finish(sound, 0, state=UploadState.DONE, now=1_500.25)

    found = moto_client.query(
        TableName=table,
        IndexName="listing",
        KeyConditionExpression="listing = :listing",
        ExpressionAttributeValues={":listing": {"S": "ended"}},
    )["Items"]

    assert [(item["pk"]["S"], item["listed_at"]["S"]) for item in found] == [
        (f"upload#{UPLOAD}", "1970-01-01T00:25:00.250000+00:00")
    ]


def test_a_letter_without_a_body_is_not_read_as_an_empty_one(sound: DynamoLedger) -> None:
    sound.put_dead_letter(replace(letter(1), body=b""))
    sound.put_dead_letter(replace(letter(2), body=None))

    bodies = [kept.body for kept in sound.dead_letters(UPLOAD, limit=2)]

    assert bodies == [b"", None]


@pytest.mark.parametrize(
    ("code", "reasons", "kind"),
    [
        ("ValidationException", [], LedgerRefused),
        ("ItemCollectionSizeLimitExceededException", [], LedgerRefused),
        ("TransactionCanceledException", ["None", "ValidationError"], LedgerRefused),
        ("TransactionCanceledException", ["ThrottlingError"], LedgerUnreachable),
        ("ThrottlingException", [], LedgerUnreachable),
        ("AccessDeniedException", [], LedgerUnreachable),
        ("InternalServerError", [], LedgerUnreachable),
    ],
)
def test_errors_that_a_retry_cannot_fix_are_distinguished(
    faulty: Faulty, code: str, reasons: list[str], kind: type[LedgerUnreachable]
) -> None:
    ledger = faulty(refused_with(code, reasons=reasons))

    with pytest.raises(LedgerUnreachable) as refused:
        ledger.put_dead_letter(letter(1))

    assert type(refused.value) is kind
