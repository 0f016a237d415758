"""Do the costs reckon with the templates as they are shipped?"""

from consumer.telemetry.cloudwatch import figures
from ledger.uploads.lane import Tally
from orders_cli import costs
from tests.support import seen
from tests.support.template import ROOT, read_template

COST_PAGE = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
WHY_NOT_PAGE = (ROOT / "docs" / "why-not.md").read_text(encoding="utf-8")
HEALTHY = seen.ledger_seen(seen.account(tally=Tally(accepted=30)))
MILLION = 1_000_000
RETENTION_HOURS = 2_160


def test_the_task_is_that_of_the_template() -> None:
    consumer = read_template("consumer")

    assert int(consumer.default("TaskCpu")) / 1024 == costs.TASK_VCPU
    assert int(consumer.default("TaskMegabytes")) / 1024 == costs.TASK_GIGABYTES


def test_the_alarms_are_those_of_the_templates() -> None:
    templates = [read_template("pipeline"), read_template("consumer")]

    alarms = [a for t in templates for a in t.of_type("AWS::CloudWatch::Alarm")]
    composite = [a for t in templates for a in t.of_type("AWS::CloudWatch::CompositeAlarm")]
    assert len(alarms) == costs.ALARMS
    assert len(composite) == costs.COMPOSITE_ALARMS


def test_the_metrics_are_those_that_the_worker_writes() -> None:
    (dashboard,) = read_template("consumer").of_type("AWS::CloudWatch::Dashboard").values()
    known = figures(seen.snapshot(HEALTHY, seen.shard()), 0.0, unread_seconds=0.0).keys()

    assert "AchievedPerSecond" in str(dashboard)  # only where orders were sent lately
    assert len(known | {"AchievedPerSecond"}) == costs.WORKER_METRICS


def test_the_default_retention_is_the_one_of_the_page() -> None:
    assert int(read_template("pipeline").default("RetentionHours")) == RETENTION_HOURS


def test_the_page_has_the_figures_that_the_command_reckons() -> None:
    hours = MILLION / 3_600
    sending = costs.sending_costs(
        orders=MILLION,
        lines=MILLION,
        stream_bytes=200 * MILLION,
        hours=hours,
        retention_hours=RETENTION_HOURS,
    )
    month = costs.standing_costs(costs.MONTH_HOURS, retention_hours=RETENTION_HOURS)
    of_month = {cost.thing: cost.dollars for cost in month}
    rows = [(c.thing, f"${c.dollars:,.2f}", of_month.get(c.thing, 0.0)) for c in sending]

    expected = [f"| {thing} | {dollars} | ${idle:,.2f} |" for thing, dollars, idle in rows]
    total = sum(cost.dollars for cost in sending)
    expected.append(f"| together | ${total:,.2f} | ${costs.idle_month(RETENTION_HOURS):,.2f} |")
    assert [row for row in expected if row not in COST_PAGE] == []
    assert f"${costs.waiting_in_lambda(hours):,.2f}" in COST_PAGE
    assert f"some ${costs.waiting_in_lambda(hours):.0f} for the waiting" in WHY_NOT_PAGE
    assert f"some ${costs.idle_month(RETENTION_HOURS):.0f}" in WHY_NOT_PAGE
