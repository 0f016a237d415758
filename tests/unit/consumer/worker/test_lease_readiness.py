"""The worker waits for the lease table itself, says so, and stays healthy meanwhile."""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from consumer.kcl.first_leases import FirstLease
from consumer.kcl.lease_table import (
    BeingMade,
    LeaseTable,
    Missing,
    TableState,
    Usable,
    WithoutIndex,
)
from consumer.telemetry.health import all_fine, liveness
from consumer.telemetry.snapshot import Snapshot
from consumer.telemetry.worker_view import WorkerView
from consumer.worker import arrival
from consumer.worker.lease_readiness import shards_of, wait_for_lease_table, write_first_leases
from ledger.errors import LedgerUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

INDEX_CREATING = BeingMade("the index LeaseOwnerToLeaseKeyIndex of the lease table l is CREATING")
MINUTES_OF_AWS_SECONDS = 450.0
AWAY = LedgerUnreachable("no answer from http://aws", hint="check the network")


@dataclass
class SlowTable(LeaseTable):
    """A table whose index becomes usable at a given time of the clock that its waits move."""

    usable_at: float = 0.0
    state: TableState | None = None
    away: int = 0
    clock: float = 0.0
    made: list[str] = field(default_factory=list)
    name: str = "l"

    def look(self) -> TableState:
        if self.away:
            self.away -= 1
            raise AWAY
        if self.state is not None:
            return self.state
        return Usable() if self.clock >= self.usable_at else INDEX_CREATING

    def make(self) -> None:
        self.made.append("table")
        self.state = None

    def add_index(self) -> None:
        self.made.append("index")
        self.state = None

    def wait(self, seconds: float) -> None:
        self.clock += seconds


def wait(table: SlowTable, told: list[str], *, over_at: float = float("inf")) -> bool:
    return wait_for_lease_table(
        table, is_over=lambda: table.clock >= over_at, wait=table.wait, tell=told.append
    )


def test_an_index_that_takes_450_seconds_is_waited_for_without_an_unhealthy_answer() -> None:
    table, answers = SlowTable(usable_at=MINUTES_OF_AWS_SECONDS), list[bool]()

    def ask_for_health(waits_for: str) -> None:
        answers.append(is_alive(starting(waits_for, at=table.clock)))

    assert wait_for_lease_table(table, is_over=lambda: False, wait=table.wait, tell=ask_for_health)
    assert table.clock == MINUTES_OF_AWS_SECONDS
    assert len(answers) == MINUTES_OF_AWS_SECONDS
    assert all(answers)


def test_what_is_waited_for_is_shown() -> None:
    (finding, *_) = liveness(
        starting("waiting for DynamoDB: x", at=400.0), workers=1, watcher_lives=True
    )

    assert finding.says == "waiting for DynamoDB: x"


def test_it_logs_what_it_waits_for_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told: list[str] = []

    wait(SlowTable(usable_at=5.0), told)

    assert told == [f"waiting for DynamoDB: {INDEX_CREATING.what}"] * 5
    assert [record.message for record in caplog.records] == told[:1]


@pytest.mark.parametrize(("state", "makes"), [(Missing(), "table"), (WithoutIndex(), "index")])
def test_what_is_missing_is_made_and_waited_for(state: TableState, makes: str) -> None:
    table = SlowTable(state=state, usable_at=3.0)

    assert wait(table, [])

    assert table.made == [makes]
    assert table.clock == 3.0


def test_a_stop_ends_the_wait() -> None:
    table = SlowTable(usable_at=MINUTES_OF_AWS_SECONDS)

    assert not wait(table, [], over_at=10.0)

    assert table.clock == 10.0


def test_a_dynamodb_out_of_reach_is_borne_for_a_while() -> None:
    told: list[str] = []

    assert wait(SlowTable(away=3), told)

    assert told == ["no answer from http://aws"] * 3


def test_a_dynamodb_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "OUT_OF_REACH_SECONDS", 0.0)

    with pytest.raises(LedgerUnreachable, match="http://aws"):
        wait(SlowTable(away=1_000), [])


class Rows(SlowTable):
    """A table that keeps what is written to it."""

    def __init__(self, *, rows: int = 0, taken: bool = False) -> None:
        super().__init__()
        self.rows, self.taken = rows, taken
        self.written: list[FirstLease] = []

    def is_empty(self) -> bool:
        return not self.rows

    def write(self, leases: "Sequence[FirstLease]") -> bool:
        self.written += [] if self.taken else leases
        return not self.taken


def shards() -> list[Any]:
    hashes = {"StartingHashKey": "0", "EndingHashKey": "9"}
    return [{"ShardId": "s-0", "HashKeyRange": hashes, "SequenceNumberRange": {}}]


def test_a_new_application_gets_its_leases() -> None:
    table = Rows()

    write_first_leases(table, shards, ["orders-1"])

    assert table.written == [FirstLease("s-0", "orders-1", "0", "9")]


def test_an_application_that_has_leases_keeps_them_as_they_are() -> None:
    table = Rows(rows=1)

    write_first_leases(table, lambda: pytest.fail("no need to ask for shards"), ["orders-1"])

    assert table.written == []


def test_a_stream_that_cannot_be_listed_is_left_to_kcl_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse() -> list[Any]:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListShards")

    write_first_leases(table := Rows(), refuse, ["orders-1"])

    assert table.written == []
    assert "left to the KCL" in caplog.text
    assert "AccessDenied" in caplog.text


@mock_aws
def test_every_shard_of_the_stream_is_listed() -> None:
    boto3.client("kinesis").create_stream(StreamName="stream", ShardCount=3)

    assert len(shards_of("stream")) == 3


def starting(waits_for: str, *, at: float) -> Snapshot:
    """What health checks see of a worker that holds a number and waits."""
    worker = WorkerView(number=1, waits_for=waits_for)
    return Snapshot(at=at, monotonic=at, worker=worker, shards=(), ledger=None)


def is_alive(snapshot: Snapshot) -> bool:
    return all_fine(liveness(snapshot, workers=1, watcher_lives=True))
