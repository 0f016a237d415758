"""The whole ledger in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.dynamodb.claims import DynamoClaims
from ledger.dynamodb.documents import DynamoDocuments
from ledger.dynamodb.fingerprints import DynamoFingerprints
from ledger.dynamodb.lanes import DynamoLanes
from ledger.dynamodb.letter_closing import DynamoLetterClosing
from ledger.dynamodb.redrives import DynamoRedrives
from ledger.dynamodb.table import Table
from ledger.dynamodb.uploads import DynamoUploads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLedger(
    DynamoUploads,
    DynamoLanes,
    DynamoLetterClosing,
    DynamoRedrives,
    DynamoFingerprints,
    DynamoClaims,
    DynamoDocuments,
):
    """Every port of the ledger, over one table and one client; any thread may call it.

    Every call may raise LedgerUnreachable. It holds no state: two of them over one table, in one
    process or on two hosts, are one ledger.

    events: the client's, for listeners to its answers. place: names this ledger among all.
    """

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        super().__init__(Table(client, table_name))
        self.events = client.meta.events
        self.place = f"{client.meta.endpoint_url}/{table_name}"
