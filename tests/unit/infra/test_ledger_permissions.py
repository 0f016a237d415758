"""May each program do to the ledger what the ledger's adapter does, and no more?"""

import re

import pytest

from tests.support.template import ROOT, read_template

ADAPTER = ROOT / "ledger" / "dynamodb" / "table.py"
ACTIONS = {
    "batch_get_item": {"BatchGetItem"},
    "get_item": {"GetItem"},
    "put_item": {"PutItem"},
    "update_item": {"UpdateItem"},
    "delete_item": {"DeleteItem"},
    "query": {"Query"},
    # A transaction needs the permissions of the writes in it.
    "transact_write_items": {"PutItem", "UpdateItem"},
}
# Only a worker's claim is ever deleted.
ONLY_THE_CONSUMER = {"DeleteItem"}


def _called() -> set[str]:
    calls = set(re.findall(r"_client\.(\w+)\(", ADAPTER.read_text(encoding="utf-8")))
    return set().union(*(ACTIONS[call] for call in calls))


@pytest.mark.parametrize(
    ("template", "role", "not_needed"),
    [("pipeline", "ProducerRole", ONLY_THE_CONSUMER), ("consumer", "TaskRole", set())],
)
def test_a_role_allows_what_the_ledger_calls(
    template: str, role: str, not_needed: set[str]
) -> None:
    allowed = {s.name: s for s in read_template(template).role_statements()}

    actions = {a.removeprefix("dynamodb:") for a in allowed[f"{role}/KeepLedger"].actions}
    assert actions == _called() - not_needed
    assert allowed[f"{role}/ListUploads"].actions == ("dynamodb:Query",)
