"""Does each rule ask for what is there, lead to its entry in the docs, and fire when it should?"""

import re
import subprocess
from typing import Any

import pytest

from ledger.pace.hold import HoldKind
from ledger.pace.limits import Shut
from ledger.sending_status import SendingState
from ledger.uploads.upload import UploadState
from tests.support.dashboard_queries import FOLDER, alerts, selectors, unknown_in

OPERATIONS = (FOLDER.parent / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS = alerts()
NAMES = [alert["alert"] for alert in ALERTS]
BLOCKERS = {"refusal budget spent", "later release", "ledger row missing", "no rate"}
VALUES: dict[tuple[str, str], set[str]] = {
    ("orders_sending_state", "state"): {state.value for state in SendingState},
    ("orders_sending_state", "reason"): {*HoldKind, *Shut, *BLOCKERS},
    ("orders_uploads", "state"): {state.value for state in UploadState},
}


@pytest.fixture(params=ALERTS, ids=NAMES)
def alert(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def test_a_rule_asks_for_metrics_and_labels_of_the_catalogue(alert: dict[str, Any]) -> None:
    assert unknown_in(alert["expr"]) == []


def test_a_rule_waits_for_values_that_can_come(alert: dict[str, Any]) -> None:
    for selector in selectors(alert["expr"]):
        for matcher in selector.matchers.matchers:
            values = VALUES[str(selector.name), matcher.name]
            assert any(re.fullmatch(matcher.value, value) for value in values), matcher


def test_a_rule_leads_to_its_entry(alert: dict[str, Any]) -> None:
    name = alert["alert"]

    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert f"\n### {name}\n" in OPERATIONS


def test_a_rule_is_named_once_and_says_how_grave_it_is(alert: dict[str, Any]) -> None:
    assert NAMES.count(alert["alert"]) == 1
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert {"summary", "description"} <= alert["annotations"].keys()


def test_every_link_within_the_operations_page_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", OPERATIONS, re.MULTILINE)

    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", OPERATIONS)) <= anchors


@pytest.mark.needs("promtool")
def test_the_rules_say_something_when_they_should_and_nothing_when_not() -> None:
    tested = subprocess.run(
        ["promtool", "test", "rules", "rules_test.yml"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_rule_has_a_case_in_which_it_fires() -> None:
    cases = (FOLDER / "rules_test.yml").read_text(encoding="utf-8")
    firing = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", cases))

    assert firing == set(NAMES)
