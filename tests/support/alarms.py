"""What a CloudWatch alarm of the consumer's template would make of what the worker wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ge, gt, lt
from typing import Any

from tests.support.template import read_template

APPLICATION = "orders"
"""Default of the templates' parameter, and the sandbox's application."""
COMPARISONS = {
    "GreaterThanThreshold": gt,
    "GreaterThanOrEqualToThreshold": ge,
    "LessThanThreshold": lt,
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One metric alarm, as its properties have it; a period has a value, or None for no data."""

    properties: dict[str, Any]

    def value_in(self, line: dict[str, Any]) -> float | None:
        """Its metric in a line of the embedded metric format; None where CloudWatch finds none."""
        names = [dimension["Name"] for dimension in self.properties["Dimensions"]]
        wanted = {d["Name"]: _text(d["Value"]) for d in self.properties["Dimensions"]}
        metric = self.properties["MetricName"]
        for directive in line["_aws"]["CloudWatchMetrics"]:
            if (
                directive["Namespace"] == self.properties["Namespace"]
                and names in directive["Dimensions"]
                and {name: line[name] for name in names} == wanted
                and metric in [named["Name"] for named in directive["Metrics"]]
            ):
                (value,) = line[metric]
                return float(value)
        return None

    def goes_off(self, periods: Sequence[float | None]) -> bool:
        """Is it in ALARM after these periods? They are as many as it evaluates."""
        evaluated = int(self.properties["EvaluationPeriods"])
        assert len(periods) == evaluated
        return sum(map(self._breaches, periods)) >= int(
            self.properties.get("DatapointsToAlarm", evaluated)
        )

    def goes_off_at(self, value: float | None) -> bool:
        """Is it in ALARM once every period has had this value?"""
        return self.goes_off([value] * self.properties["EvaluationPeriods"])

    def _breaches(self, value: float | None) -> bool:
        if value is None:
            return str(self.properties["TreatMissingData"]) == "breaching"
        compare = COMPARISONS[self.properties["ComparisonOperator"]]
        return bool(compare(value, self.properties["Threshold"]))


def alarm(name: str) -> Alarm:
    """An alarm of infra/consumer.yaml, by its logical name without `Alarm`."""
    return Alarm(read_template("consumer").of_type("AWS::CloudWatch::Alarm")[f"{name}Alarm"])


def _text(value: Any) -> str:  # noqa: ANN401 - a value of a template
    if value == {"Ref": "Application"}:
        return APPLICATION
    raise AssertionError(f"a dimension that the worker does not write: {value}")
