"""What CloudWatch learns of the consumer, and which alarm hears of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.telemetry.cloudwatch import CloudWatchLines, figures, metric_line
from consumer.telemetry.conditions import StallWatch
from consumer.telemetry.snapshot import LedgerSnapshot
from ledger.pace import steps
from ledger.pace.hold import Hold, HoldKind
from ledger.pace.limits import Shut
from ledger.pace.pace import Blocker, Pace, Pause
from ledger.uploads.lane import Tally
from tests.support import seen
from tests.support.alarms import NAMESPACE, own_alarms, ringing
from tests.support.eventually import eventually
from tests.support.template import ROOT, read_template

RULES = yaml.safe_load(Path(ROOT, "dashboards", "rules.yml").read_text(encoding="utf-8"))
SEEN_BY_AWS_ITSELF = {"ConsumerAbsent", "IntakeDeadLetter"}

WAITING = seen.account(tally=Tally(accepted=30))
HEALTHY = seen.ledger_seen(WAITING)


def blocked(kind: HoldKind) -> Pace:
    hold = Hold(kind, 1, since=seen.NOW - 60, until=seen.NOW + 60, step=3, why="401")
    return replace(seen.ONE_PER_SECOND, hold=hold)


PAUSE = Pause("ann", "", seen.NOW - 60, None)
CONDITIONS: Mapping[str, LedgerSnapshot] = {
    "CredentialsRefusedAlarm": seen.ledger_seen(WAITING, pace=blocked(HoldKind.UNAUTHORIZED)),
    "RefusalBudgetSpentAlarm": seen.ledger_seen(
        WAITING,
        pace=steps.block(
            seen.ONE_PER_SECOND, "budget", Blocker("refusal budget spent", "30 of 40", since=0.0)
        ),
    ),
    "OrdersMissingAlarm": seen.ledger_seen(seen.account(tally=Tally(accepted=30, missing=1))),
    "OrdersWillExpireAlarm": seen.ledger_seen(WAITING, retention_days=2.9),
    "PausedAlarm": seen.ledger_seen(WAITING, pace=steps.pause(seen.ONE_PER_SECOND, value=PAUSE)),
}


def rung(ledger: LedgerSnapshot | None, stalled: float = 0.0, unread: float = 0.0) -> set[str]:
    """The alarms that one line, said again and again, sets off."""
    values = figures(seen.snapshot(ledger, seen.shard()), stalled, unread_seconds=unread)
    return ringing(json.loads(metric_line(NAMESPACE, "orders", values)))


def test_a_line_is_the_embedded_metric_format() -> None:
    line = json.loads(metric_line(NAMESPACE, "orders", {"Backlog": 3, "EtaSeconds": 4.5}))

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert directive["Dimensions"] == [["Application"]]
    assert directive["Metrics"] == [
        {"Name": "Backlog", "Unit": "Count"},
        {"Name": "EtaSeconds", "Unit": "Seconds"},
    ]
    assert (line["Application"], line["Backlog"], line["EtaSeconds"]) == ("orders", [3.0], [4.5])


def test_what_is_unknown_or_infinite_is_left_out() -> None:
    without_pace = figures(
        seen.snapshot(seen.ledger_seen(WAITING, pace=Pace())), 0, unread_seconds=0
    )
    nothing_waits = figures(seen.snapshot(seen.ledger_seen()), 0, unread_seconds=0)

    assert without_pace["Backlog"] == 70
    assert not {"EtaSeconds", "TargetPerSecond", "AchievedPerSecond"} & without_pace.keys()
    assert nothing_waits["Backlog"] == 0
    assert "RunwaySeconds" not in nothing_waits


def test_no_alarm_rings_while_all_is_well() -> None:
    assert rung(HEALTHY) == set()
    assert rung(None) == set()


@pytest.mark.parametrize("alarm", CONDITIONS)
def test_each_condition_rings_its_alarm_and_no_other(alarm: str) -> None:
    assert rung(CONDITIONS[alarm]) == {alarm}


def test_orders_that_wait_in_vain_ring() -> None:
    assert rung(HEALTHY, stalled=899.0) == set()
    assert rung(HEALTHY, stalled=900.0) == {"SendingStalledAlarm"}


def test_a_slow_pace_is_given_more_time() -> None:
    slow = seen.ledger_seen(WAITING, pace=steps.configure(Pace(), "10/h", now=0.0))

    assert "SendingStalledAlarm" not in rung(slow, stalled=21_599.0)
    assert "SendingStalledAlarm" in rung(slow, stalled=21_600.0)


def test_a_ledger_out_of_reach_rings_whether_or_not_it_was_ever_read() -> None:
    old = replace(HEALTHY, status=replace(HEALTHY.status, at=seen.NOW - 61))

    assert rung(old) == {"LedgerOutOfReachAlarm"}
    assert rung(None, unread=61.0) == {"LedgerOutOfReachAlarm"}


def test_orders_are_stalled_from_the_last_one_that_was_settled() -> None:
    watch = StallWatch()

    def look(at: float, accepted: int, **status: Any) -> float:  # noqa: ANN401 any field of it
        ledger = seen.ledger_seen(seen.account(tally=Tally(accepted=accepted)))
        return watch.stalled_seconds(
            replace(ledger, status=replace(ledger.status, at=at, **status))
        )

    quota = replace(HEALTHY.status.sending, cause=Shut.QUOTA)
    assert [look(0, 1), look(60, 1), look(120, 2), look(180, 2)] == [0, 60, 0, 60]
    assert [look(240, 2, sending=quota), look(300, 2)] == [0, 60]
    assert [look(360, 100), look(999, 100)] == [0, 0], "no order waits"


def test_every_alarm_reads_a_figure_of_its_application() -> None:
    known = figures(seen.snapshot(HEALTHY, seen.shard()), 0.0, unread_seconds=0.0).keys()

    assert own_alarms()
    for name, alarm in own_alarms().items():
        assert alarm["MetricName"] in known, name
        assert alarm["Dimensions"] == [{"Name": "Application", "Value": {"Ref": "Application"}}]


def test_the_dashboard_shows_figures_that_are_told() -> None:
    known = figures(seen.snapshot(HEALTHY, seen.shard()), 0.0, unread_seconds=0.0).keys()
    (dashboard,) = read_template("consumer").of_type("AWS::CloudWatch::Dashboard").values()
    body = json.loads(re.sub(r"\$\{[^}]*\}", "x", dashboard["DashboardBody"]["Fn::Sub"]))

    shown = {
        metric[1]
        for widget in body["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == NAMESPACE
    }
    assert shown <= known | {"AchievedPerSecond"}
    assert {"Backlog", "EtaSeconds", "RunwaySeconds"} <= shown


def test_every_critical_rule_of_prometheus_has_an_alarm() -> None:
    critical = {
        rule["alert"]
        for group in RULES["groups"]
        for rule in group["rules"]
        if rule["labels"]["severity"] == "critical"
    }
    described = " ".join(alarm["AlarmDescription"] for alarm in own_alarms().values())

    assert critical - SEEN_BY_AWS_ITSELF <= set(re.findall(r"operations\.md, (\w+)", described))


def test_a_line_is_written_at_once_and_then_again() -> None:
    out = StringIO()
    lines = CloudWatchLines(
        NAMESPACE, "orders", lambda: seen.snapshot(HEALTHY), every_seconds=0.01, out=out
    )

    eventually(lambda: len(out.getvalue().splitlines()) >= 3, "three lines", seconds=5.0)

    lines.stop()
    assert json.loads(out.getvalue().splitlines()[0])["Backlog"] == [70.0]
