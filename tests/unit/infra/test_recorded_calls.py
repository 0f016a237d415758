"""Does each role allow the calls that were recorded, or that have a reason, and no others?"""

import json
from dataclasses import replace

import pytest

from tests.support.template import ROOT, Statement, read_template

CALLS = json.loads((ROOT / "tests" / "recording" / "calls.json").read_text(encoding="utf-8"))
QUEUES = ("orders-intake", "orders-intake-dead-letters", "")  # GetQueueUrl is noted without a name
LEDGER, LISTING = ("orders-ledger",), ("orders-ledger/index/listing",)
RESOURCES = {
    "TaskRole/ReadStream": ("orders-stream",),
    "TaskRole/PutEndMarkers": ("orders-stream",),
    "TaskRole/KeepLeases": ("orders-leases",),
    "TaskRole/FindOwnLeases": ("orders-leases/index/LeaseOwnerToLeaseKeyIndex",),
    "TaskRole/LeadAndReport": (
        "orders-leases-CoordinatorState",
        "orders-leases-WorkerMetricStats",
    ),
    "TaskRole/KeepLedger": LEDGER,
    "TaskRole/ListUploads": LISTING,
    "TaskRole/CountIntakeDeadLetters": QUEUES,
    "ProducerRole/ReadUploads": ("uploads/*",),
    "ProducerRole/TellGoneFromForbidden": ("bucket",),
    "ProducerRole/WriteReports": ("reports/*",),
    "ProducerRole/CompareOrderIds": ("order-ids/*",),
    "ProducerRole/WriteStream": ("orders-stream",),
    "ProducerRole/KeepLedger": LEDGER,
    "ProducerRole/ListUploads": LISTING,
}
ROLES = {"TaskRole": "consumer", "ProducerRole": "pipeline"}


def _statements(role: str) -> list[Statement]:
    found = read_template(ROLES[role]).role_statements()
    return [s for s in found if s.name.startswith(f"{role}/")]


def _problems(role: str, statements: list[Statement]) -> list[str]:
    """What is recorded but not allowed, and what is allowed with neither a call nor a reason."""
    recorded = {(call, resource) for call, resource in CALLS["recorded"][role]}
    allowed = {(a, r) for s in statements for a in s.actions for r in RESOURCES.get(s.name, ())}
    problems = [f"missing {call} on {resource}" for call, resource in recorded - allowed]
    for s in statements:
        for action in s.actions:
            seen = any((action, r) in recorded for r in RESOURCES.get(s.name, ()))
            has_reason = f"{s.name} {action}" in CALLS["not_seen"]
            if seen and has_reason:
                problems.append(f"seen, so it needs no reason: {s.name} {action}")
            if not seen and not has_reason:
                problems.append(f"unused {s.name} {action}")
    there = {f"{s.name} {action}" for s in statements for action in s.actions}
    reasons = {name for name in CALLS["not_seen"] if name.startswith(f"{role}/")}
    return problems + [f"not allowed any more: {name}" for name in reasons - there]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_allows_what_was_recorded_or_has_a_reason_and_no_more(role: str) -> None:
    assert _problems(role, _statements(role)) == []


@pytest.mark.parametrize("role", ROLES)
def test_each_action_that_is_taken_away_is_missed(role: str) -> None:
    statements = _statements(role)
    for at, statement in enumerate(statements):
        for action in statement.actions:
            fewer = replace(statement, actions=tuple(a for a in statement.actions if a != action))

            assert _problems(role, [*statements[:at], fewer, *statements[at + 1 :]])


@pytest.mark.parametrize("role", ROLES)
def test_an_action_that_nothing_uses_is_found(role: str) -> None:
    statements = _statements(role)
    for at, statement in enumerate(statements):
        more = replace(statement, actions=(*statement.actions, "dynamodb:DeleteTable"))

        assert _problems(role, [*statements[:at], more, *statements[at + 1 :]])
