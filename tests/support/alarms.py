"""Which CloudWatch alarms of the consumer's template go off at what the worker writes?"""

import operator
from collections.abc import Mapping
from typing import Any

from tests.support.template import read_template

NAMESPACE = "PacedOrders"
APPLICATION = "orders"
"""Default of the templates' parameter, and the sandbox's application."""
COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}


def own_alarms() -> dict[str, dict[str, Any]]:
    """The alarms on what the worker says, by logical name."""
    return {name: one for name, one in _alarms().items() if one["Namespace"] == NAMESPACE}


def ringing(line: Mapping[str, Any]) -> set[str]:
    """Those of them that one line, said again and again, sets off."""
    return {name for name, one in own_alarms().items() if _goes_off(one, _value_in(line, one))}


def ringing_in_silence() -> set[str]:
    """The alarms that go off where there are no data at all, whoever should have sent them."""
    return {name for name, one in _alarms().items() if _goes_off(one, None)}


def _alarms() -> dict[str, dict[str, Any]]:
    return read_template("consumer").of_type("AWS::CloudWatch::Alarm")


def _value_in(line: Mapping[str, Any], alarm: Mapping[str, Any]) -> float | None:
    """The alarm's metric in a line of the embedded metric format; None if CloudWatch finds none."""
    names, metric = [dimension["Name"] for dimension in alarm["Dimensions"]], alarm["MetricName"]
    for directive in line["_aws"]["CloudWatchMetrics"]:
        if (
            directive["Namespace"] == alarm["Namespace"]
            and names in directive["Dimensions"]
            and [line[name] for name in names] == [APPLICATION]
            and metric in [named["Name"] for named in directive["Metrics"]]
        ):
            (value,) = line[metric]
            return float(value)
    return None


def _goes_off(alarm: Mapping[str, Any], value: float | None) -> bool:
    """Is it in ALARM once every period has had this value, or no data?"""
    if value is None:
        return str(alarm["TreatMissingData"]) == "breaching"
    return bool(COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]))
