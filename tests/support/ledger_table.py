"""The ledger's table, exactly as infra/pipeline.yaml defines it."""

from typing import TYPE_CHECKING

from tests.support.template import read_template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create_ledger_table(client: "DynamoDBClient", name: str) -> None:
    properties = read_template("pipeline").of_type("AWS::DynamoDB::Table")["Ledger"]
    client.create_table(
        TableName=name,
        BillingMode=properties["BillingMode"],
        AttributeDefinitions=properties["AttributeDefinitions"],
        KeySchema=properties["KeySchema"],
        GlobalSecondaryIndexes=properties["GlobalSecondaryIndexes"],
    )
