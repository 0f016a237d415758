"""What CloudFormation answers to parameters before it makes anything: the rules, in small.

Read from the user guide: parameters' AllowedValues, AllowedPattern and bounds, and the functions
that stand in Rules and in the values that depend on parameters alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.support.template import Template

NEEDED = {
    "consumer": {
        "Image": "image",
        "VpcId": "vpc-1",
        "SubnetIds": "subnet-1",
        "ApiUrl": "https://api.example.com/orders/{order_id}",
    },
    "pipeline": {"CodeBucket": "code", "CodeKey": "producer.zip"},
}
"""Parameters without a default, with values that are right."""


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Fn::Equals": lambda one, other: one == other,
    "Fn::Not": lambda one: not one,
    "Fn::And": lambda *all_of: all(all_of),
    "Fn::Or": lambda *any_of: any(any_of),
    "Fn::Contains": lambda values, one: one in values,
    "Fn::Join": lambda between, parts: between.join(parts),
    "Fn::Split": lambda between, text: text.split(between),
    "Fn::Select": lambda number, values: values[int(number)],
}


def refusals(template: Template, given: Mapping[str, str]) -> list[str]:
    """Why a deployment with these parameters is refused; empty if it is not."""
    told = parameters(template, given)
    found = [
        f"{name}: {rule.get('ConstraintDescription', rule['Description'])}"
        for name, rule in template.body["Parameters"].items()
        if not _is_allowed(rule, told[name])
    ]
    return found or list(_broken_rules(template, told))


def parameters(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """Every parameter, as text."""
    needed = NEEDED[template.path.stem]
    names = template.body["Parameters"]
    assert given.keys() <= names.keys()
    return {
        name: given[name] if name in given else needed.get(name) or template.default(name)
        for name in names
    }


def value_of(node: Any, told: Mapping[str, str]) -> Any:  # noqa: ANN401 - any value of a template
    """What a value that depends on parameters alone comes to."""
    if isinstance(node, list):
        return [value_of(one, told) for one in node]
    if not isinstance(node, dict):
        return str(node)
    ((name, given),) = node.items()
    if name == "Ref":
        return told[given]
    return _FUNCTIONS[name](*value_of(given, told))


def _is_allowed(rule: Mapping[str, Any], value: str) -> bool:
    if "AllowedValues" in rule and value not in map(str, rule["AllowedValues"]):
        return False
    if "AllowedPattern" in rule and not re.fullmatch(rule["AllowedPattern"], value):
        return False
    low, high = rule.get("MinValue", float("-inf")), rule.get("MaxValue", float("inf"))
    return rule["Type"] != "Number" or bool(low <= float(value) <= high)


def _broken_rules(template: Template, told: Mapping[str, str]) -> Iterator[str]:
    for rule in template.body["Rules"].values():
        if value_of(rule.get("RuleCondition", {"Fn::Equals": [1, 1]}), told):
            for assertion in rule["Assertions"]:
                if not value_of(assertion["Assert"], told):
                    yield assertion["AssertDescription"]
