"""Do the costs reckon with the templates as they are shipped?"""

from pathlib import Path

from orders_cli import costs
from tests.support.template import ROOT, read_template

COST_PAGE = Path(ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
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
