"""KCL's lease table, in DynamoDB as moto has it."""

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from consumer.kcl.first_leases import FirstLease
from consumer.kcl.lease_table import (
    BeingMade,
    ForeignTable,
    IndexOfNoStatus,
    LeaseTable,
    Missing,
    Usable,
    WithoutIndex,
    state_of,
)
from tests.support.template import read_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

LEASES = (FirstLease("shardId-0", "orders-1", "0", "9"), FirstLease("shardId-1", "o-2", "10", "19"))


@pytest.fixture
def client() -> "Iterator[DynamoDBClient]":
    with mock_aws():
        yield boto3.client("dynamodb")


@pytest.fixture
def table(client: "DynamoDBClient") -> LeaseTable:
    return LeaseTable(client, "orders-leases")


def described(client: "DynamoDBClient") -> "TableDescriptionTypeDef":
    return client.describe_table(TableName="orders-leases")["Table"]


def test_a_missing_table_is_made_as_the_template_makes_it(
    table: LeaseTable, client: "DynamoDBClient"
) -> None:
    assert table.look() == Missing()

    table.make()

    assert table.look() == Usable()
    made, wanted = described(client), read_template("pipeline").of_type("AWS::DynamoDB::Table")
    properties = wanted["LeaseTable"]
    assert made["KeySchema"] == properties["KeySchema"]
    assert made["AttributeDefinitions"] == properties["AttributeDefinitions"]
    assert made["BillingModeSummary"]["BillingMode"] == properties["BillingMode"]
    (index,) = made["GlobalSecondaryIndexes"]
    (in_template,) = properties["GlobalSecondaryIndexes"]
    assert {name: index[name] for name in in_template} == in_template  # type: ignore[literal-required] # names of the template


def test_a_table_that_another_worker_made_first_is_as_good(table: LeaseTable) -> None:
    table.make()

    table.make()

    assert table.look() == Usable()


def test_a_table_of_an_old_kcl_gets_the_index(table: LeaseTable, client: "DynamoDBClient") -> None:
    create(client, key="leaseKey")
    assert table.look() == WithoutIndex()

    table.add_index()

    assert table.look() == Usable()


def test_somebody_elses_table_is_refused_in_one_sentence(
    table: LeaseTable, client: "DynamoDBClient"
) -> None:
    create(client, key="order_number")

    with pytest.raises(ForeignTable) as refusal:
        table.look()

    assert str(refusal.value) == (
        "The table orders-leases is no lease table of KCL: its key is order_number, not leaseKey; "
        "set ORDERS_LEASE_TABLE to a name that nothing else uses."
    )


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "DELETING"])
def test_an_index_is_waited_for_until_it_is_active(
    table: LeaseTable, client: "DynamoDBClient", status: str
) -> None:
    table.make()
    table_now = described(client)
    table_now["TableStatus"] = "UPDATING"
    table_now["GlobalSecondaryIndexes"][0]["IndexStatus"] = status  # type: ignore[typeddict-item] # any of them

    assert state_of(table_now) == BeingMade(
        f"the index LeaseOwnerToLeaseKeyIndex of the lease table orders-leases is {status}"
    )


def test_an_index_that_the_embedded_aws_left_without_a_status_is_made_again(
    table: LeaseTable, client: "DynamoDBClient"
) -> None:
    table.make()
    table_now = described(client)
    del table_now["GlobalSecondaryIndexes"][0]["IndexStatus"]
    assert state_of(table_now) == IndexOfNoStatus()

    table.drop_index()

    assert table.look() == WithoutIndex()


def test_the_first_leases_are_written_once(table: LeaseTable, client: "DynamoDBClient") -> None:
    table.make()
    assert table.is_empty()

    assert table.write(LEASES)

    assert not table.is_empty()
    assert leases_of(client) == {"shardId-0": "orders-1", "shardId-1": "o-2"}


def test_a_lease_that_is_there_already_keeps_all_the_others_out(
    table: LeaseTable, client: "DynamoDBClient"
) -> None:
    table.make()
    table.write([FirstLease("shardId-1", "a daemon's", "10", "19")])

    assert not table.write(LEASES)

    assert leases_of(client) == {"shardId-1": "a daemon's"}


def create(client: "DynamoDBClient", *, key: str) -> None:
    client.create_table(
        TableName="orders-leases",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
    )


def leases_of(client: "DynamoDBClient") -> dict[str, str]:
    rows = client.scan(TableName="orders-leases")["Items"]
    return {row["leaseKey"]["S"]: row["leaseOwner"]["S"] for row in rows}
